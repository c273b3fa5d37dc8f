import SPDDriver

/// Trains one trial of a sweep.
package struct SweepRunner<Task: TrainingTask> {
  private let space: SweepSpace
  private let runner: TrialRunner<Task>

  package init(_ task: Task, _ space: SweepSpace, model: String, options: CompileOptions) {
    self.space = space
    runner = TrialRunner(
      task, model: model, options: options, searched: Set(space.dimensions.map(\.key)))
  }

  /// Trains, or resumes an interrupted attempt.
  ///
  /// - Returns: the metric; nil if a signal stopped the run.
  /// - Throws: `TrialFailed` if the trial's settings are the cause; other errors concern all trials.
  package func run(
    _ trial: SweepTrial, in folder: RunFolder, observer: any TrainingObserver
  ) async throws -> Double? {
    guard let run = try await runner.run(trial.configuration, in: folder, observer: observer) else { return nil }
    try run.writeReport()
    guard let best = space.best(of: run.state.history.series(space.metric).map(\.value)) else {
      throw TrialFailed("\(space.metric) was not measured")
    }
    return best
  }
}
