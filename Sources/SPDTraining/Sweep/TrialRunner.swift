import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

/// Trains with settings that may themselves be the cause of a failure, as those of a sweep's trial.
package struct TrialRunner<Task: TrainingTask> {
  private let task: Task
  /// Name of a shipped model, or a path.
  private let model: String
  private let options: CompileOptions
  /// Keys of the settings that differ between trials.
  private let searched: Set<String>

  package init(_ task: Task, model: String, options: CompileOptions, searched: Set<String>) {
    (self.task, self.model, self.options, self.searched) = (task, model, options, searched)
  }

  /// Trains, or resumes an interrupted attempt.
  ///
  /// - Returns: the finished run; nil if a signal stopped it.
  /// - Throws: `TrialFailed` if the settings are the cause; other errors concern all trials.
  package func run(
    _ configuration: TrainingConfiguration, in folder: RunFolder, observer: any TrainingObserver
  ) async throws -> TrainingRun<Task>? {
    var earlier: EarlierRun?
    if FileManager.default.fileExists(atPath: folder.checkpoint(.last)) {
      earlier = try EarlierRun(folder.path)
      guard let began = earlier?.checkpoint.state.configuration, SharedSettings.agree(began, configuration) else {
        throw Failure(
          .usage, "\(folder.path) is a trial with other settings; use another folder, or remove that one")
      }
    }
    do {
      let training = try await Training(
        task, try await LoadedModel.load(model), configuration, options, earlier: earlier, isQuiet: true)
      let run = try training.open(in: folder, from: earlier, observer: observer)
      return try run.run() == .finished ? run : nil
    } catch let error where isOfTheTrial(error) {
      throw TrialFailed(String(Failure(error).message.prefix { $0 != "\n" }))
    }
  }

  /// Whether a trial failed because of its own settings, so that others may succeed.
  private func isOfTheTrial(_ error: any Error) -> Bool {
    func isSearched(_ keys: String...) -> Bool { !searched.isDisjoint(with: keys) }
    switch error {
    case let failure as Failure: return failure.code == .diverged
    case is GraphError, is KernelError: return isSearched("batch", "image-size", "classes")
    case is ArenaTooSmall, is NotEnoughMemory, RuntimeError.outOfMemory:
      return isSearched("batch", "image-size", "max-arena", "accumulate", "clip", "ema", "optimizer")
    default: return false
    }
  }
}
