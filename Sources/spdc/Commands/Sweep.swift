import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDTraining

struct SweepCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Random search over training settings.",
    discussion: """
      The YAML file names the settings to search and their values:

        trials: 20
        metric: val/top1        # or another column of results.csv; losses are minimised
        settings: {epochs: 5}
        space:
          lr: {log: [0.001, 0.3]}
          momentum: {range: [0.8, 0.99]}
          batch: [64, 128]
          optimizer: [sgd, adam]

      Detectors are ranked by metrics/fitness unless the file says otherwise, and --hyp gives their trials the values of \
      YOLOv5's hyperparameter file that are not searched.

      sweep.csv, sweep.svg and sweep.html (parallel coordinates, a table) are updated after every trial. Run again \
      with the same folder, a sweep resumes where it stopped, even within a trial.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Option(help: ArgumentHelp("YAML file that names the settings to search.", valueName: "file")) var space: String
  @Option(help: "Number of trials. Default: the file's.") var trials: Int?
  @Option(help: ArgumentHelp("Detection: YOLOv5's file of hyperparameters.", valueName: "file")) var hyp: String?
  @Option(
    name: [.customLong("out"), .customShort("o")],
    help: ArgumentHelp("Output folder of the sweep.", valueName: "folder"))
  var out = "runs/sweep"
  @Flag(help: "Print the results as JSON, without progress.") var json = false

  func validate() throws {
    try TrainingOptions.check(options)
    if let trials, !(1...SweepSpace.maximumTrials).contains(trials) {
      throw ValidationError("--trials must be 1 to \(SweepSpace.maximumTrials).")
    }
    if training.config != nil {
      throw ValidationError("--config is for a single run; put a sweep's settings into its YAML file.")
    }
  }

  struct Answer: Encodable {
    struct Trial: Encodable {
      var trial: Int, settings: [String: String], metric: Double?, seconds: Double, outcome: String
    }
    var folder: String, metric: String, best: Int?, trials: [Trial]
  }

  func run() async throws {
    try await reporting(outlivesReader: true) {
      let isDetector = try await LoadedModel.load(options.model).graph().boxes != nil
      if hyp != nil, !isDetector { throw Failure(.usage, "--hyp is for detectors; \(options.model) is a classifier") }
      if isDetector {
        try await search(DetectionTask(), isDetector: true)
      } else {
        try await search(ClassificationTask(), isDetector: false)
      }
    }
  }

  private func search<Task: TrainingTask>(_ task: Task, isDetector: Bool) async throws {
    var searched = try SweepSpace(contentsOf: space, for: Task.self)
    if let trials { searched.trials = trials }
    let sweep = try Sweep(
      space: searched, folder: out, model: options.model,
      hyperparameters: try hyp.map(TrainingConfiguration.hyperparameterSettings(contentsOf:)) ?? [],
      overrides: try training.settings(options), weights: identification(ofWeights: options.weights),
      isDetector: isDetector)
    guard !sweep.trials.isEmpty else {
      throw Failure(.usage, "\(space) has no valid trial: every combination of its settings contradicts itself")
    }
    let results = try await sweep.run(
      writing: Files.writing,
      report: { if !json { Console.note(line($0, sweep)) } },
      trial: { try await run(task, $0, in: $1, searched) })
    let best = searched.ranked(results).first { $0.metric != nil }
    let keys = searched.dimensions.map(\.key)
    if json {
      try Console.print(
        json: Answer(
          folder: out, metric: searched.metric, best: best?.trial,
          trials: results.map { result in
            Answer.Trial(
              trial: result.trial, settings: Dictionary(uniqueKeysWithValues: zip(keys, result.words)),
              metric: result.metric, seconds: result.seconds, outcome: result.outcome)
          }))
    }
    guard let best else {
      throw Failure(.diverged, "all \(results.count) trials failed; trial \(results[0].trial): \(results[0].outcome)")
    }
    if !json { Console.print("best: \(line(best, sweep))\n\(out)/sweep.csv, sweep.svg, sweep.html") }
  }

  private func run(
    _ task: some TrainingTask, _ trial: SweepTrial, in folder: RunFolder, _ space: SweepSpace
  ) async throws -> Double {
    if !json {
      let settings = trial.values.map { "\($0.key) \($0.word)" }.joined(separator: ", ")
      Console.note("trial \(trial.number) of \(space.trials): \(settings)")
    }
    let runner = SweepRunner(task, space, model: options.model, options: options.compile)
    guard let metric = try await runner.run(trial, in: folder, observer: TrainingDisplay(json ? .nothing : .progress))
    else {
      Console.note("stopped; the same command resumes")
      throw ExitCode(130)
    }
    return metric
  }

  private func line(_ result: SweepResult, _ sweep: Sweep) -> String {
    let settings = zip(sweep.space.dimensions, result.words).map { "\($0.key) \($1)" }.joined(separator: ", ")
    let outcome = result.metric.map { String(format: "\(sweep.space.metric) %.4f", $0) } ?? result.outcome
    return "trial \(result.trial): \(settings): \(outcome), \(TrainingProgress.duration(result.seconds))"
  }
}
