import Foundation
import SPDDetection
import Testing

@testable import SPDTraining

/// Evolutions whose trainings are a formula.
@Suite struct EvolutionTests {
  private func base(_ settings: String...) throws -> TrainingConfiguration {
    try TrainingConfiguration.resolve(
      model: "small", overrides: try settings.map { try Setting(argument: $0) }, isDetector: true)
  }

  private func evolution(_ folder: TemporaryFolder, _ count: Int, _ settings: String..., in name: String = "e") throws
    -> Evolution
  {
    var base = try base()
    try base.apply(try settings.map { try Setting(argument: $0) })
    return Evolution(folder: folder.file(name), generations: count, base: base)
  }

  /// A fitness that is best at lr0 0.02.
  private func train(_ configuration: TrainingConfiguration, _ folder: RunFolder) throws -> Evolution.Trained {
    try Data().write(to: URL(fileURLWithPath: folder.checkpoint(.best)))
    let hyperparameters = configuration.hyperparameters
    return (
      ["metrics/fitness": 1 / (1 + abs(hyperparameters.lr0 - 0.02) * 100), "val/box_loss": hyperparameters.box], 2
    )
  }

  private struct Killed: Error {}

  @Test func itFindsBetterOnesAndResumes() async throws {
    let folder = try TemporaryFolder()
    let whole = try await evolution(folder, 20).run(train: train)
    #expect(whole.count == 20 && whole[0].hyperparameters == .scratch)
    let best = try #require(whole.best)
    #expect(try #require(best.fitness) > 1.1 * whole[0].fitness!)

    // Killed in generation 8, with half a row in the table.
    var number = 0
    await #expect(throws: Killed.self) {
      try await evolution(folder, 10, in: "killed").run { configuration, run in
        number += 1
        if number == 8 { throw Killed() }
        return try train(configuration, run)
      }
    }
    let path = folder.file("killed/evolve.csv")
    try Data((try text(path) + "8,0.1,").utf8).write(to: URL(fileURLWithPath: path))
    var told: [Int] = []
    let resumed = try await evolution(folder, 20, in: "killed").run(
      report: { generation, _ in told.append(generation.number) }, train: train)
    #expect(resumed == whole && told == Array(1...20))
    #expect(try text(path) == text(folder.file("e/evolve.csv")))
    #expect(try text(folder.file("killed/hyp_evolve.yaml")) == text(folder.file("e/hyp_evolve.yaml")))

    let lines = try text(path).split(separator: "\n")
    #expect(lines.count == 21)
    #expect(lines[0].hasPrefix("generation,metrics/fitness,metrics/precision,metrics/recall,metrics/mAP_0.5,"))
    #expect(lines[0].contains("val/cls_loss,lr0,lrf,momentum,") && lines[0].hasSuffix("copy_paste,seconds,outcome"))
    #expect(lines[1].hasPrefix("1,0.5,,,,,0.05,,,0.01,0.1,0.937,0.0005,"))
    let file = try DetectionHyperparameters(contentsOf: folder.file("e/hyp_evolve.yaml"))
    #expect(file == best.hyperparameters)
    #expect(
      try text(folder.file("e/hyp_evolve.yaml")).hasPrefix("# Best of 20 generations: generation \(best.number).\n"))
    let kept = (1...20).filter {
      FileManager.default.fileExists(atPath: folder.file("e/generation-\(numbered($0))/checkpoints"))
    }
    #expect(kept == [best.number])
    let html = try text(folder.file("e/evolve.html"))
    for part in ["20 of 20", "Fitness by generation", "warmup_bias_lr", "best so far"] { #expect(html.contains(part)) }
    // Zeros stay zeros, so they have no chart.
    #expect(!html.contains("copy_paste"))
  }

  @Test func failuresAreRecorded() async throws {
    let folder = try TemporaryFolder()
    var number = 0
    let some = try await evolution(folder, 4).run { configuration, run in
      number += 1
      if number < 3 { throw TrialFailed("the loss became NaN, at once") }
      return number == 3 ? (["metrics/fitness": .nan], 1) : try train(configuration, run)
    }
    #expect(some.map(\.fitness).map { $0 == nil } == [true, true, true, false] && some.best?.number == 4)
    #expect(some[0].outcome == "failed: the loss became NaN, at once")
    let again = try await evolution(folder, 4).run { _, _ in throw Killed() }
    #expect(again.map(\.outcome) == some.map(\.outcome) && again.map(\.values) == some.map(\.values))
    #expect(try text(folder.file("e/evolve.html")).contains("no fitness was measured"))
    let none = try await evolution(folder, 2, in: "none").run { _, _ in throw TrialFailed("no") }
    #expect(none.best == nil && !FileManager.default.fileExists(atPath: folder.file("none/hyp_evolve.yaml")))
  }

  @Test func anotherFolderIsRefused() async throws {
    let folder = try TemporaryFolder()
    try await evolution(folder, 2).run(train: train)
    func refusal(_ settings: String) async throws -> String? {
      do {
        try await evolution(folder, 3, settings).run { _, _ in throw Killed() }
        return nil
      } catch { return "\(error)" }
    }
    let problem = try await refusal("mosaic=0.5")
    #expect(
      problem?.contains("is from an evolution with mosaic 1, but this one has 0.5. Use another folder") == true,
      "\(problem ?? "")")
    #expect(try await refusal("epochs=7")?.contains("with epochs 300") == true)
    let path = folder.file("e/evolve.csv")
    let table = try text(path)
    try Data((table + "3,x\n").utf8).write(to: URL(fileURLWithPath: path))
    #expect(
      try await refusal("threads=1")
        == "\(path): the row cannot be read (line 4). Use another folder, or remove this file to begin again")
    try Data("trial,lr\n1,2\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(
      try await refusal("threads=1")?.contains("is not the table of an evolution of this version (line 1)") == true)
  }

  /// A configuration's hyperparameters are those that it trains with.
  @Test func hyperparametersOfAConfiguration() throws {
    let configuration = try base("lr=0.03", "warmup-bias-lr=null", "mosaic=0.25", "optimizer=sgd")
    var same = configuration
    same.apply(configuration.hyperparameters)
    #expect(configuration.hyperparameters.lr0 == 0.03 && configuration.hyperparameters.warmupBiasLR == 0)
    #expect(configuration.hyperparameters.mosaic == 0.25 && same.optimizer == configuration.optimizer)
    #expect(same.schedule.warmupBiasRate == 0 && same.hyperparameters == configuration.hyperparameters)
  }
}
