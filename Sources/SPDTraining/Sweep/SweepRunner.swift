import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

/// Trains one trial of a sweep.
package struct SweepRunner<Task: TrainingTask> {
  private let task: Task
  private let space: SweepSpace
  /// Name of a shipped model, or a path.
  private let model: String
  private let options: CompileOptions

  package init(_ task: Task, _ space: SweepSpace, model: String, options: CompileOptions) {
    (self.task, self.space, self.model, self.options) = (task, space, model, options)
  }

  /// Trains, or resumes an interrupted attempt.
  ///
  /// - Returns: the metric; nil if a signal stopped the run.
  /// - Throws: `TrialFailed` if the trial's settings are the cause; other errors concern all trials.
  package func run(
    _ trial: SweepTrial, in folder: RunFolder, observer: any TrainingObserver
  ) async throws -> Double? {
    var earlier: EarlierRun?
    if FileManager.default.fileExists(atPath: folder.checkpoint(.last)) {
      earlier = try EarlierRun(folder.path)
      guard let began = earlier?.checkpoint.state.configuration, Sweep.agree(began, trial.configuration) else {
        throw Failure(
          .usage, "\(folder.path) is a trial with other settings; use another folder for the sweep, or remove that one")
      }
    }
    let run: TrainingRun<Task>
    do {
      let training = try await Training(
        task, try await LoadedModel.load(model), trial.configuration, options, earlier: earlier, isQuiet: true)
      run = try training.open(in: folder, from: earlier, observer: observer)
      guard try run.run() == .finished else { return nil }
    } catch let error where isOfTheTrial(error) {
      throw TrialFailed(String(Failure(error).message.prefix { $0 != "\n" }))
    }
    try run.writeReport()
    guard let best = space.best(of: run.state.history.series(space.metric).map(\.value)) else {
      throw TrialFailed("\(space.metric) was not measured")
    }
    return best
  }

  /// Whether a trial failed because of its own settings, so that others may succeed.
  private func isOfTheTrial(_ error: any Error) -> Bool {
    func isSearched(_ keys: String...) -> Bool { space.dimensions.contains { keys.contains($0.key) } }
    switch error {
    case let failure as Failure: return failure.code == .diverged
    case is GraphError, is KernelError: return isSearched("batch", "image-size", "classes")
    case is ArenaTooSmall, is NotEnoughMemory, RuntimeError.outOfMemory:
      return isSearched("batch", "image-size", "max-arena", "accumulate", "clip", "ema", "optimizer")
    default: return false
    }
  }
}
