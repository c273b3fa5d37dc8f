import Foundation
import SPDDetection
import SPDFormats

/// A genetic search for hyperparameters of a detector: the first generation trains with those of the configuration, each
/// later one with a mutation of one of the best. Its folder contains `evolve.csv`, `hyp_evolve.yaml` with the best ones,
/// `evolve.html`, and a run folder per generation; only that of the best one keeps its checkpoints.
///
/// An evolution started again in the same folder resumes: generations in `evolve.csv` are skipped, and an interrupted one
/// continues from its checkpoint. What a generation trains with depends only on the seed, its number, and the generations
/// before it.
public struct Evolution: Sendable {
  public let folder: String
  /// Number of generations, those of earlier processes included.
  public let generations: Int
  private let base: TrainingConfiguration
  private let shared: SharedSettings

  /// Maximum number of generations.
  public static let maximum = 10_000

  /// Keys of the settings that differ between generations.
  package static func searched(in configuration: TrainingConfiguration) -> Set<String> {
    Set(configuration.hyperparameterSettings.map(\.key))
  }

  /// - Parameters:
  ///   - base: settings of all generations, and the hyperparameters of the first one.
  ///   - weights: text that identifies the initial weights.
  public init(folder: String, generations: Int, base: TrainingConfiguration, weights: String = "of the seed") {
    (self.folder, self.generations, self.base) = (folder, generations, base)
    shared = SharedSettings(
      kind: "evolution", folder: folder, configuration: base, searched: [], weights: weights)
  }

  /// The result of a training: validation metrics of its best epoch by name, and its time.
  public typealias Trained = (values: [String: Double], seconds: Double)

  /// Runs the remaining generations one after the other.
  ///
  /// - Parameters:
  ///   - writing: runs code that writes the folder's files.
  ///   - begin: receives the number of a generation before its training.
  ///   - report: receives each generation after its training, and those of earlier processes.
  ///   - train: trains. The folder contains a checkpoint if an earlier attempt was interrupted.
  /// - Returns: all generations.
  /// - Throws: `FormatError` if the folder belongs to another evolution or cannot be written; errors of `train` but
  ///   `TrialFailed`, which is recorded.
  @discardableResult
  public func run(
    writing: (() throws -> Void) throws -> Void = { try $0() }, begin: (Int) -> Void = { _ in },
    report: (Generation, [Generation]) -> Void = { _, _ in },
    train: (TrainingConfiguration, RunFolder) async throws -> Trained
  ) async throws -> [Generation] {
    try shared.check()
    let earlier = try EvolutionFile.read(path("evolve.csv"), base.hyperparameters)
    var opened: EvolutionFile?
    try writing {
      try shared.write()
      opened = try EvolutionFile(path("evolve.csv"), earlier)
      try writeResults(earlier)
    }
    let file = opened!
    for generation in earlier { report(generation, earlier) }
    while file.generations.count < generations {
      let number = file.generations.count + 1
      var generation = Generation(
        number: number, hyperparameters: hyperparameters(of: number, after: file.generations), values: [:], seconds: 0,
        outcome: Generation.finished)
      var configuration = base
      configuration.apply(generation.hyperparameters)
      begin(number)
      let start = ContinuousClock.now
      do {
        (generation.values, generation.seconds) = try await train(
          configuration, try RunFolder.make(at: runPath(number)))
        guard generation.fitness?.isFinite == true else { throw TrialFailed("no fitness was measured") }
      } catch let failure as TrialFailed {
        generation.outcome = "failed: \(failure)"
        generation.values = [:]
        generation.seconds = (ContinuousClock.now - start).seconds
      }
      try writing {
        try file.append(generation)
        try writeResults(file.generations)
      }
      report(generation, file.generations)
    }
    return file.generations
  }

  private func path(_ name: String) -> String { folder + "/" + name }

  /// Path of a generation's run folder.
  public func runPath(_ number: Int) -> String { path("generation-" + numbered(number)) }

  /// Path of the file of the best hyperparameters.
  public var best: String { path("hyp_evolve.yaml") }

  private func hyperparameters(of number: Int, after earlier: [Generation]) -> DetectionHyperparameters {
    if number == 1 { return base.hyperparameters }
    let parents = earlier.compactMap { generation in
      generation.fitness.map { (hyperparameters: generation.hyperparameters, fitness: $0) }
    }
    // If all failed, mutate the hyperparameters that the search began with.
    return HyperparameterEvolution.next(
      generation: number, seed: base.seed, after: parents.isEmpty ? [(base.hyperparameters, 0)] : parents)
  }

  /// Writes the page and the best hyperparameters, and removes the checkpoints of all other generations.
  private func writeResults(_ generations: [Generation]) throws {
    let report = EvolutionReport(generations: generations, total: self.generations)
    try writeAtomically(to: path("evolve.html")) { try $0.write(Array(report.html.utf8)) }
    if let text = report.bestHyperparameters(base) {
      try writeAtomically(to: best) { try $0.write(Array(text.utf8)) }
    }
    for generation in generations where generation.number != generations.best?.number {
      let checkpoints = runPath(generation.number) + "/checkpoints"
      if FileManager.default.fileExists(atPath: checkpoints) { try FileManager.default.removeItem(atPath: checkpoints) }
    }
  }
}

/// A number with at least three digits, as in names of folders: `007`.
func numbered(_ number: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
}
