import Foundation
import SPDFormats

/// Thrown by a trial that failed because of its settings, for example with a NaN loss. The sweep records the reason and
/// continues; any other error ends the sweep, which can be resumed.
public struct TrialFailed: Error, CustomStringConvertible, Sendable {
  public var description: String
  public init(_ description: String) { self.description = description }
}

/// A random search over a space of settings. Its folder contains `sweep.csv`, `sweep.svg`, `sweep.html` and a run folder per
/// trial.
///
/// A sweep started again in the same folder resumes: trials in `sweep.csv` are skipped, and an interrupted trial continues
/// from its checkpoint.
public struct Sweep: Sendable {
  public let space: SweepSpace
  public let folder: String
  public let trials: [SweepTrial]
  private let shared: SharedSettings

  /// - Parameters:
  ///   - model: as for `TrainingConfiguration.resolve`.
  ///   - hyperparameters: settings of a hyperparameter file for all trials; the space's override them.
  ///   - overrides: settings of the command line for all trials; they override the space's.
  ///   - isDetector: as for `TrainingConfiguration.resolve`.
  ///   - weights: text that identifies the initial weights of all trials.
  /// - Throws: `ConfigurationError` for invalid settings, settings of another task, or if an override is also searched.
  public init(
    space: SweepSpace, folder: String, model: String? = nil, hyperparameters: [Setting] = [], overrides: [Setting] = [],
    weights: String = "of the seed", isDetector: Bool = false
  ) throws {
    let searched = Set(space.dimensions.map(\.key))
    for setting in space.settings + overrides where searched.contains(setting.key) {
      throw ConfigurationError(
        source: setting.source, problem: "`\(setting.key)` is searched by the sweep and cannot be set as well")
    }
    let base = try TrainingConfiguration.resolve(
      model: model,
      overrides: hyperparameters.filter { !searched.contains($0.key) } + space.settings + overrides,
      isDetector: isDetector)
    for dimension in space.dimensions { try base.checkScope(dimension.key, dimension.source) }
    self.space = space
    self.folder = folder
    shared = SharedSettings(
      kind: "sweep", folder: folder, configuration: base, searched: searched, weights: weights)
    trials = space.sampled(over: base)
  }

  /// Runs the remaining trials sequentially.
  ///
  /// - Parameters:
  ///   - writing: runs code that writes the folder's files.
  ///   - report: receives the result of each trial, including earlier ones.
  ///   - trial: trains and returns the metric. The trial's folder contains a checkpoint if an earlier attempt was
  ///     interrupted.
  /// - Returns: the results of all trials, in the order in which they ended.
  /// - Throws: `FormatError` if the folder belongs to another sweep or cannot be written; errors of `trial`.
  @discardableResult
  public func run(
    writing: (() throws -> Void) throws -> Void = { try $0() },
    report: (SweepResult) throws -> Void = { _ in },
    trial: (SweepTrial, RunFolder) async throws -> Double
  ) async throws -> [SweepResult] {
    let rows = try SweepResultsFile.read(folder + "/sweep.csv", space: space, trials: trials)
    if !rows.isEmpty || trials.contains(where: { isBegun($0) }) { try shared.check() }
    // If all trials failed, the cause may have been fixed: run them again.
    let earlier = rows.contains { $0.metric != nil } ? rows : []
    var opened: SweepResultsFile?
    try writing {
      try shared.write()
      opened = try SweepResultsFile(folder + "/sweep.csv", space: space, results: earlier)
      try writePlots(earlier)
    }
    let file = opened!
    for result in earlier { try report(result) }
    let over = Set(earlier.map(\.trial))
    for point in trials where !over.contains(point.number) {
      let start = ContinuousClock.now
      var metric: Double?
      var outcome = SweepResult.finished
      do {
        metric = try await trial(point, try RunFolder.make(at: folder + "/" + Self.name(point.number)))
      } catch let failure as TrialFailed { outcome = "failed: \(failure)" }
      let elapsed = ContinuousClock.now - start
      let result = SweepResult(
        trial: point.number, words: point.values.map(\.word), metric: metric,
        seconds: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18, outcome: outcome)
      try writing {
        try file.append(result)
        try writePlots(file.results)
      }
      try report(result)
    }
    return file.results
  }

  /// Whether a trial has a checkpoint to resume from.
  private func isBegun(_ trial: SweepTrial) -> Bool {
    guard let run = try? RunFolder(existing: folder + "/" + Self.name(trial.number)) else { return false }
    return FileManager.default.fileExists(atPath: run.checkpoint(.last))
  }

  /// Returns the name of a trial's folder: `trial-007`.
  static func name(_ number: Int) -> String { "trial-" + numbered(number) }

  private func writePlots(_ results: [SweepResult]) throws {
    let plots = SweepReport(space: space, results: results)
    try writeAtomically(to: folder + "/sweep.svg") { try $0.write(Array(plots.plot.svg.utf8)) }
    try writeAtomically(to: folder + "/sweep.html") { try $0.write(Array(plots.html.utf8)) }
  }
}
