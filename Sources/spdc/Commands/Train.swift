import ArgumentParser
import Foundation
import SPD
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
      if options.weights != nil { throw ValidationError("--resume has weights of its own; leave --weights out.") }
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
      let earlier = try resume.map { try EarlierRun($0) }
      let configuration =
        try earlier?.configuration(settings)
        ?? TrainingConfiguration.resolve(model: options.model, file: training.config, overrides: settings)
      if printsSettings { return Console.print(configuration.yaml) }
      let prepared = try await PreparedTraining(
        options, configuration, earlier: earlier, volume: json ? .nothing : .everything)
      let folder = try earlier?.folder ?? newFolder(prepared.modules.graph.name)
      let run = try prepared.run(in: folder, from: earlier)
      let ending = try run.run()
      if ending == .finished { try run.writeReport() }
      let summary = TrainingSummary(run, ending)
      if json { try Console.print(json: summary) } else { summary.print() }
      if ending == .stopped { throw ExitCode(130) }
    }
  }

  private func newFolder(_ name: String) throws -> RunFolder {
    do {
      guard let out else { return try RunFolder.create(named: name) }
      let folder = try RunFolder.make(at: out)
      if FileManager.default.fileExists(atPath: folder.checkpoint(.last)) {
        throw Failure(.usage, "\(out) has a run already; go on with --resume \(out), or give another folder")
      }
      for file in [folder.configuration, folder.results] where FileManager.default.fileExists(atPath: file) {
        throw Failure(.usage, "\(file) is there already, and the run would write over it; give another folder")
      }
      return folder
    } catch let failure as Failure { throw failure } catch { throw Failure(.cannotWrite, "\(error)") }
  }
}

/// A training whose model, data and code are there.
struct PreparedTraining {
  var configuration: TrainingConfiguration
  var data: TrainingData
  var modules: ClassifierModules
  var volume: TrainingDisplay.Volume

  init(
    _ options: ModelOptions, _ configuration: TrainingConfiguration, earlier: EarlierRun?,
    volume: TrainingDisplay.Volume
  ) async throws {
    let model = try await LoadedModel.load(options.model)
    data = try await TrainingData(configuration, model: model)
    modules = try await ClassifierModules(options, model, data, configuration, volume: volume)
    if let earlier {
      try RunFacts(modules: modules, data: data).check(
        earlier.checkpoint, path: earlier.path, classNames: data.classNames)
    }
    self.configuration = configuration
    self.volume = volume
  }

  func run(in folder: RunFolder, from earlier: EarlierRun?) throws -> TrainingRun {
    if volume == .everything {
      Console.note(
        "\(folder.path): \(modules.graph.name), \(data.training.name) (\(grouped(data.training.count)) images, "
          + "\(grouped(data.validation.count)) for validation, \(data.classNames.count) classes), "
          + "\(data.size.height)×\(data.size.width), batch \(configuration.batch), "
          + "\(configuration.optimizer.method.rawValue), lr \(configuration.optimizer.learningRate), "
          + "\(configuration.computeThreads) threads")
      if let state = earlier?.checkpoint.state {
        Console.note("going on after epoch \(state.epoch), iteration \(state.iteration)")
      }
    }
    return try TrainingRun(
      configuration, folder: folder, data: data, modules: modules,
      from: earlier.map { ($0.checkpoint, path: $0.path) }, volume: volume)
  }
}
