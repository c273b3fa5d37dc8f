import SPDDriver

/// Trains one generation of an evolution.
package struct EvolutionRunner {
  private let runner: TrialRunner<DetectionTask>

  package init(_ base: TrainingConfiguration, model: String, options: CompileOptions) {
    runner = TrialRunner(
      DetectionTask(), model: model, options: options, searched: Evolution.searched(in: base))
  }

  /// Trains, or resumes an interrupted attempt.
  ///
  /// - Returns: the metrics of the epoch with the best fitness, and the time of all epochs; nil if a signal stopped the run.
  /// - Throws: `TrialFailed` if the hyperparameters are the cause; other errors concern all generations.
  package func run(
    _ configuration: TrainingConfiguration, in folder: RunFolder, observer: any TrainingObserver
  ) async throws -> Evolution.Trained? {
    guard let run = try await runner.run(configuration, in: folder, observer: observer) else { return nil }
    let history = run.state.history
    guard let epoch = run.state.best?.epoch else { throw TrialFailed("no fitness was measured") }
    let values = DetectionTask.metrics.filter(\.isValidation).compactMap { metric in
      history.series(metric.name).first { $0.epoch == epoch }.map { (metric.name, $0.value) }
    }
    return (
      Dictionary(uniqueKeysWithValues: values), history.series("seconds").reduce(0) { $0 + $1.value }
    )
  }
}
