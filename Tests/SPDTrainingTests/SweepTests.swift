import Foundation
import SPD
import Testing

@testable import SPDTraining

struct SweepTests {
  private let yaml = """
    trials: 30
    seed: 5
    metric: val/top1
    settings:
      epochs: 2
    space:
      lr: {log: [0.001, 0.1]}
      batch: [64, 128, 256]
      momentum: {range: [0.8, 0.9], steps: 3}
      optimizer: [sgd, adam]
      weight-decay: {range: [0, 0.01]}
      accumulate: {range: [1, 4]}

    """

  private func refusal(_ yaml: String) -> String? { message { _ = try SweepSpace(yaml: yaml, path: "s.yaml") } }

  private func sweep(_ yaml: String, in folder: TemporaryFolder, _ overrides: [String] = []) throws -> Sweep {
    try Sweep(
      space: SweepSpace(yaml: yaml, path: "s.yaml"), folder: folder.file("sweep"), model: "resnet18-spd",
      overrides: overrides.map { try Setting(argument: $0) })
  }

  @Test func trialsComeFromTheSpace() throws {
    let trials = try sweep(yaml, in: TemporaryFolder(), ["threads=3"]).trials
    #expect(trials.count == 30 && trials.map(\.number) == Array(1...30))
    var rates: [Double] = []
    for trial in trials {
      let configuration = trial.configuration
      rates.append(configuration.optimizer.learningRate)
      #expect((0.001...0.1).contains(rates.last!) && (0...0.01).contains(configuration.optimizer.weightDecay))
      #expect([64, 128, 256].contains(configuration.batch) && (1...4).contains(configuration.accumulate))
      #expect([0.8, 0.85, 0.9].contains(configuration.optimizer.momentum))
      #expect(configuration.epochs == 2 && configuration.threads == 3)
      #expect(trial.values.map(\.key) == ["lr", "batch", "momentum", "optimizer", "weight-decay", "accumulate"])
      #expect(trial.values[0].word == configuration.settings.first { $0.key == "lr" }!.value)
    }
    // Half of the rates are below the middle of the decades, not below the middle of the range.
    #expect((8...22).contains(rates.count { $0 < 0.01 }))
    #expect(Set(trials.map(\.configuration.optimizer.method)) == [.sgd, .adam])
  }

  @Test func samplingIsSeeded() throws {
    let folder = try TemporaryFolder()
    let trials = try sweep(yaml, in: folder).trials
    #expect(try sweep(yaml, in: folder).trials == trials)
    // More trials add to those that were there.
    #expect(try Array(sweep(yaml.replacing("30", with: "50"), in: folder).trials.prefix(30)) == trials)
    #expect(try sweep(yaml.replacing("seed: 5", with: "seed: 6"), in: folder).trials != trials)
    // The generator is the published one.
    var random = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
  }

  /// A small grid is enumerated once, without conflicting combinations.
  @Test func wholeGrid() throws {
    let yaml = "space: {optimizer: [sgd, adam], nesterov: [true, false], batch: [1, 2, 3]}"
    let trials = try sweep(yaml, in: TemporaryFolder()).trials
    #expect(trials.count == 9 && Set(trials.map { $0.values.map(\.word) }).count == 9)
    #expect(!trials.contains { $0.configuration.optimizer.nesterov && $0.configuration.optimizer.method == .adam })
    #expect(trials.map { $0.values.map(\.word) } != trials.map { $0.values.map(\.word) }.sorted { "\($0)" < "\($1)" })
    let endless = "space: {optimizer: [adam], nesterov: [true], lr: {log: [0.1, 1]}}"
    #expect(try sweep(endless, in: TemporaryFolder()).trials.isEmpty)
  }

  @Test func errors() throws {
    #expect(refusal("trails: 3\n") == "s.yaml:1: a sweep has no `trails`; did you mean `trials`?")
    #expect(refusal("lr: [1, 2]\n") == "s.yaml:1: `lr` must be under `space` to be searched, or under `settings`")
    #expect(refusal("trials: few\n") == "s.yaml:1: `trials` must be a whole number from 1 to 10000")
    #expect(refusal("seed: x\n") == "s.yaml:1: `seed` must be a whole number")
    #expect(
      refusal("metric: []\n") == "s.yaml:1: `metric` must be a column of results.csv: "
        + ClassificationTask.columns.joined(separator: ", "))
    #expect(refusal("trials: 3\n") == "s.yaml:1: a sweep needs a `space` with at least one setting, such as lr")
    func space(_ line: String) -> String? {
      refusal("space:\n  \(line)\n").map { String($0.dropFirst("s.yaml:2: ".count)) }
    }
    #expect(space("momentun: [1]") == "there is no setting `momentun`; did you mean `momentum`?")
    #expect(space("momentum: [0.5, 2]") == "`momentum` must be a number of at least 0 and below 1, not `2`")
    #expect(space("momentum: {range: [0.5, 2]}") == "`momentum` must be a number of at least 0 and below 1, not `2`")
    #expect(space("batch: [4, 4]") == "`batch` has a duplicate value")
    #expect(
      space("batch: 4") == "`batch` needs several values: [a, b, c], {range: [low, high]} or {log: [low, high]}; "
        + "a single one belongs under `settings`")
    #expect(space("optimizer: {range: [1, 2]}") == "`optimizer` does not support ranges; write a list of values")
    let form = "write {range: [low, high]} or {log: [low, high]}, with `steps` if wanted"
    #expect(space("lr: {range: [2, 1]}") == "the range of `lr` must be two numbers, the smaller first; \(form)")
    #expect(
      space("lr: {log: [0, 1]}")
        == "the range of `lr` must be two numbers, the smaller first, above 0 for a logarithm; \(form)")
    #expect(space("lr: {log: [1, 2], range: [1, 2]}") == "`lr` has two ranges; \(form)")
    #expect(space("lr: {from: 1}") == "a range has no `from`; \(form)")
    #expect(space("lr: {log: [1, 2], steps: 1}") == "the `steps` of `lr` must be a whole number from 2")
    #expect(space("preset: [default]") == "a sweep cannot search `preset`; set it under `settings`")
    #expect(refusal("settings:\n  epoch: 3\n") == "s.yaml:2: there is no setting `epoch`; did you mean `epochs`?")
    let folder = try TemporaryFolder()
    #expect(
      message { _ = try sweep("space: {lr: [1, 2]}", in: folder, ["lr=3"]) }
        == "command line: `lr` is searched by the sweep and cannot be set as well")
  }

  private struct Interrupted: Error {}

  @Test func interruptedSweepResumes() async throws {
    let small = "trials: 6\nspace:\n  lr: {log: [0.01, 1]}\n  optimizer: [sgd, adam]\n"
    func metric(_ trial: SweepTrial) throws -> Double {
      if trial.number == 2 { throw TrialFailed("the loss, \"inf\", is no number") }
      return 1 / trial.configuration.optimizer.learningRate
    }
    let whole = try TemporaryFolder()
    let expected = try await sweep(small, in: whole).run { trial, _ in try metric(trial) }

    let folder = try TemporaryFolder()
    let sweep = try sweep(small, in: folder)
    var started: [Int] = []
    for killedIn in [1, 3, 3, 5, 99] {
      do {
        try await sweep.run { trial, run in
          started.append(trial.number)
          #expect(run.path.hasSuffix("sweep/trial-00\(trial.number)"))
          // A trial that was killed finds what it left.
          let note = run.checkpoints + "/note"
          let isSecondAttempt = FileManager.default.fileExists(atPath: note)
          #expect(isSecondAttempt == (started.count { $0 == trial.number } > 1))
          try Data().write(to: URL(fileURLWithPath: note))
          if trial.number == killedIn { throw Interrupted() }
          return try metric(trial)
        }
      } catch is Interrupted {
        // As if the row had been cut off in the middle.
        let path = folder.file("sweep/sweep.csv")
        if let text = try? text(path) { try Data((text + "5,0.3").utf8).write(to: URL(fileURLWithPath: path)) }
      }
    }
    #expect(started == [1, 1, 2, 3, 3, 3, 4, 5, 5, 6])

    func rows(_ folder: TemporaryFolder) throws -> [[String]] {
      CSV.lines(try text(folder.file("sweep/sweep.csv"))).map { row in
        row.enumerated().filter { $0.offset != 4 }.map(\.element)
      }
    }
    #expect(try rows(folder) == rows(whole))
    #expect(try rows(folder)[0] == ["trial", "lr", "optimizer", "val/top1", "outcome"])
    #expect(try rows(folder)[2].suffix(2) == ["", "failed: the loss, \"inf\", is no number"])
    // All trials are complete: none runs, and all results are reported.
    var told: [Int] = []
    let again = try await sweep.run(report: { told.append($0.trial) }) { _, _ in
      Issue.record("a trial ran twice")
      return 0
    }
    #expect(told == Array(1...6) && again.map(\.metric) == expected.map(\.metric))
    let html = try text(folder.file("sweep/sweep.html"))
    #expect(html.contains("6 of 6") && html.contains("is no number"))
    #expect(XMLReading(try text(folder.file("sweep/sweep.svg")))?.count("path") == 6)
  }

  @Test func anotherSweepsFolder() async throws {
    let folder = try TemporaryFolder()
    let first = "trials: 2\nspace: {lr: {log: [0.01, 1]}}"
    try await sweep(first, in: folder).run { _, _ in 1 }
    let path = folder.file("sweep/sweep.csv")
    let before = try text(path)
    func refusal(_ yaml: String) async throws -> String? {
      do {
        try await sweep(yaml, in: folder).run { _, _ in 2 }
        return nil
      } catch { return String("\(error)".dropFirst(path.count + 2)) }
    }
    let remedy = "Use another folder, or the space that this sweep was started with"
    #expect(
      try await refusal("space: {batch: [1, 2]}") == "is from another sweep: its columns are trial, lr, val/top1, "
        + "seconds, outcome, not trial, batch, val/top1, seconds, outcome (line 1). \(remedy)")
    let problem = try await refusal("seed: 1\n" + first)
    #expect(problem?.hasPrefix("is from another sweep: trial 1 has lr ") == true)
    #expect(try text(path) == before)
    try Data((before + "x,y\n").utf8).write(to: URL(fileURLWithPath: path))
    #expect(try await refusal(first) == "is from another sweep: the row cannot be read (line 4). \(remedy)")
  }

  /// Fewer points than trials: it ends.
  @Test func aSpaceWithFewPoints() throws {
    let space = try SweepSpace(yaml: "trials: 10000\nspace: {lr: {range: [0.1, 0.1001]}}", path: "few.yaml")
    let base = try #require(TrainingPreset.configuration(named: TrainingPreset.fallback, model: "m"))
    #expect((1...2).contains(space.sampled(over: base).count))
    #expect(throws: ConfigurationError.self) {
      try SweepSpace(yaml: "trials: 1000000\nspace: {lr: {range: [0, 1]}}", path: "many.yaml")
    }
  }
}
