import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDTraining

struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a classifier on images.",
    discussion: """
      The network is compiled to C twice, for training steps and for inference, and trained as the preset of its name \
      says. Weights begin with numbers drawn from the seed, unless --weights names others. Everything about the run is \
      in its folder: config.yaml, results.csv, TensorBoard's events, checkpoints/last and best, and at the end \
      report.html. Ctrl-C saves and ends with exit code 130; --resume goes on, bit for bit.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Option(help: "Passes over the training set.") var epochs: Int?
  @Option(help: "Base learning rate.") var lr: Double?
  @Option(help: "Of the initial weights, the order of the images and their augmentation.") var seed: UInt64?
  @Option(name: .customLong("save-every"), help: "Epochs between checkpoints that are kept.") var saveEvery: Int?
  @Option(
    name: .customLong("save-iterations"),
    help: "Save the checkpoint `last` also every so many iterations; by default only after epochs.")
  var saveIterations: Int?
  @Option(
    name: [.customLong("out"), .customShort("o")],
    help: ArgumentHelp("Folder of the run; by default a new one, runs/MODEL.", valueName: "folder"))
  var out: String?
  @Option(help: ArgumentHelp("Go on with a run: its folder, or one of its checkpoints.", valueName: "path"))
  var resume: String?
  @Flag(help: "Print the result as JSON, and no progress.") var json = false
  @Flag(name: .customLong("settings"), help: "Print every setting with its value for this model, as YAML, and end.")
  var printsSettings = false

  func validate() throws {
    try TrainingOptions.check(options)
    if resume != nil {
      if out != nil { throw ValidationError("--resume goes on in the run's own folder; leave --out out.") }
      if training.preset != nil || training.config != nil {
        throw ValidationError("--resume has the run's own settings; leave --preset and --config out.")
      }
    }
  }

  func run() async throws {
    try await reporting {
      let settings =
        try training.settings(options)
        + TrainingOptions.settings([
          "epochs": epochs.map(String.init), "lr": lr.map { "\($0)" }, "seed": seed.map(String.init),
          "save-every": saveEvery.map(String.init), "save-iterations": saveIterations.map(String.init),
        ])
      // Of a run that ended before its first checkpoint there is nothing to resume: it is started.
      let begun = resume.flatMap { RunFolder.begun(at: $0) }
      let earlier = begun == nil ? try resume.map { try EarlierRun($0) } : nil
      if earlier != nil, options.weights != nil {
        throw ValidationError("--resume has weights of its own; leave --weights out.")
      }
      let configuration =
        try earlier?.configuration(settings)
        ?? TrainingConfiguration.resolve(
          model: options.model, file: training.config ?? begun?.configurationIfWritten, overrides: settings)
      if printsSettings { return Console.print(exactly: configuration.yaml) }
      let training = try await Training(
        ClassificationTask(), try await LoadedModel.load(options.model), configuration, options.compile,
        earlier: earlier, isQuiet: json, inspect: options.dump)
      let folder = try earlier?.folder ?? begun ?? newFolder(training.modules.graph.name)
      if !json {
        Console.note("\(folder.path): \(training.summary)")
        if let resizing = training.data.resizing { Console.note(resizing) }
        if let begun {
          Console.note(
            "\(begun.path) has no checkpoint yet: the run starts, with \(options.weights ?? "weights drawn from the seed")"
          )
        }
        if let state = earlier?.checkpoint.state {
          Console.note("resuming after epoch \(state.epoch), iteration \(state.iteration)")
        }
      }
      let run = try training.open(in: folder, from: earlier, observer: TrainingDisplay(json ? .nothing : .everything))
      let ending = try run.run()
      if ending == .finished { try run.writeReport() }
      let summary = TrainingSummary(run, ending)
      if json { try Console.print(json: summary) } else { summary.print() }
      if ending == .stopped { throw ExitCode(130) }
    }
  }

  private func newFolder(_ name: String) throws -> RunFolder {
    if let out { return try RunFolder.unused(at: out) }
    do { return try RunFolder.create(named: name) } catch { throw Failure(.cannotWrite, "\(error)") }
  }
}
