import ArgumentParser
import Foundation
import SPD
import SPDTraining

struct SweepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Search settings at random: train with many, and see which are best.",
    discussion: """
      The YAML file names the settings that are searched, and how:

        trials: 20
        settings: {epochs: 5}
        space:
          lr: {log: [0.001, 0.3]}
          momentum: {range: [0.8, 0.99]}
          batch: [64, 128]
          optimizer: [sgd, adam]

      sweep.csv, sweep.svg and sweep.html (parallel coordinates, a table) are up to date after every trial. Started \
      again with the same folder, a sweep goes on where it was stopped, in the middle of a trial too.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Option(help: ArgumentHelp("What is searched.", valueName: "file")) var space: String
  @Option(help: "Trials; by default what the file says.") var trials: Int?
  @Option(
    name: [.customLong("out"), .customShort("o")],
    help: ArgumentHelp("Folder of the sweep.", valueName: "folder"))
  var out = "runs/sweep"
  @Flag(help: "Print the results as JSON, and no progress.") var json = false

  func validate() throws {
    try TrainingOptions.check(options)
    if let trials, trials < 1 { throw ValidationError("--trials must be 1 or more.") }
    if training.config != nil {
      throw ValidationError("--config is for a single training; a sweep's settings stand in its space.")
    }
  }

  struct Answer: Encodable {
    struct Trial: Encodable {
      var trial: Int, settings: [String: String], metric: Double?, seconds: Double, outcome: String
    }
    var folder: String, metric: String, best: Int?, trials: [Trial]
  }

  func run() async throws {
    try await reporting {
      var searched = try SweepSpace(contentsOf: space)
      if let trials { searched.trials = trials }
      let sweep = try Sweep(
        space: searched, folder: out, model: options.model, overrides: try training.settings(options),
        weights: try startingWeights())
      let results = try await sweep.run(
        writing: Files.writing,
        report: { if !json { Console.note(line($0, sweep)) } },
        trial: { try await run($0, in: $1, metric: searched.metric) })
      let best = results.filter { $0.metric != nil }.max { ($0.metric!, $1.trial) < ($1.metric!, $0.trial) }
      let keys = searched.dimensions.map(\.key)
      if json {
        return try Console.print(
          json: Answer(
            folder: out, metric: searched.metric, best: best?.trial,
            trials: results.map { result in
              Answer.Trial(
                trial: result.trial, settings: Dictionary(uniqueKeysWithValues: zip(keys, result.words)),
                metric: result.metric, seconds: result.seconds, outcome: result.outcome)
            }))
      }
      if let best { Console.print("best: " + line(best, sweep)) }
      Console.print("\(out)/sweep.csv, sweep.svg, sweep.html")
    }
  }

  /// The weights that trials begin with: the file's name, and what tells its content from others.
  private func startingWeights() throws -> String {
    guard let weights = options.weights else { return "of the seed" }
    guard let data = FileManager.default.contents(atPath: weights) else { return weights }
    return "\(URL(fileURLWithPath: weights).lastPathComponent) \(String(fnv1a(data), radix: 16))"
  }

  private func run(_ trial: SweepTrial, in folder: RunFolder, metric: String) async throws -> Double {
    var earlier: EarlierRun?
    if FileManager.default.fileExists(atPath: folder.checkpoint(.last)) {
      earlier = try EarlierRun(folder.path)
      guard earlier?.checkpoint.state.configuration == trial.configuration else {
        throw Failure(
          .usage, "\(folder.path) is a trial with other settings; give the sweep another folder, or remove that one")
      }
    }
    let prepared = try await PreparedTraining(
      options, trial.configuration, isStrict: training.strict, earlier: earlier, quiet: true)
    let run = try prepared.run(in: folder, from: earlier)
    do {
      guard try run.run() == .finished else {
        Console.note("stopped; the same command goes on")
        throw ExitCode(130)
      }
    } catch let failure as Failure where failure.code == .diverged {
      throw TrialFailed(String(failure.message.prefix { $0 != "\n" }))
    }
    try run.writeReport()
    guard let best = run.state.history.series(metric).map(\.value).max() else {
      throw Failure(
        .usage, "there is no `\(metric)` to search by; there are \(run.state.history.columns.joined(separator: ", "))")
    }
    return best
  }

  private func line(_ result: SweepResult, _ sweep: Sweep) -> String {
    let settings = zip(sweep.space.dimensions, result.words).map { "\($0.key) \($1)" }.joined(separator: ", ")
    let outcome = result.metric.map { String(format: "\(sweep.space.metric) %.4f", $0) } ?? result.outcome
    return "trial \(result.trial): \(settings): \(outcome), \(TrainingProgress.duration(result.seconds))"
  }
}
