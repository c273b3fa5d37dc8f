import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDTraining

struct Train: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a classifier or a detector on images.",
    discussion: """
      The network is compiled to C twice, for training steps and for inference, and trained with the preset of its \
      name. Initial weights are drawn from the seed unless --weights is given. The run's folder contains config.yaml, \
      results.csv, TensorBoard events, the checkpoints last and best, and at the end report.html. Ctrl-C saves a \
      checkpoint and ends with exit code 130; --resume continues bit for bit.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Option(help: "Number of epochs.") var epochs: Int?
  @Option(help: "Base learning rate.") var lr: Double?
  @Option(help: "Random seed for initialisation, shuffling and augmentation.") var seed: UInt64?
  @Option(name: .customLong("save-every"), help: "Number of epochs between kept checkpoints.") var saveEvery: Int?
  @Option(
    name: .customLong("save-iterations"),
    help: "Also save the checkpoint `last` after this many iterations. Default: only after each epoch.")
  var saveIterations: Int?
  @Option(
    name: [.customLong("out"), .customShort("o")],
    help: ArgumentHelp("Output folder of the run. Default: a new folder runs/MODEL.", valueName: "folder"))
  var out: String?
  @Option(help: ArgumentHelp("Resume a run: its folder, or one of its checkpoints.", valueName: "path"))
  var resume: String?
  @Option(help: ArgumentHelp("Detection: YOLOv5's file of hyperparameters.", valueName: "file")) var hyp: String?
  @Option(
    help: ArgumentHelp(
      "Detection: evolve hyperparameters over this many generations, each a run. The same command resumes.",
      valueName: "generations"))
  var evolve: Int?
  @Option(help: "Epochs without a better validation before the run ends.") var patience: Int?
  @Option(help: "Number of leading layers that are not trained.") var freeze: Int?
  @Flag(
    name: .customLong("multi-scale"),
    help: "Detection: draw the size of each mini-batch from half to one and a half of the image size.")
  var multiScale = false
  @Flag(
    name: .customLong("image-weights"), help: "Detection: draw images with rare or difficult classes more often.")
  var imageWeights = false
  @Option(name: .customLong("label-smoothing"), help: "Label smoothing.") var labelSmoothing: Double?
  @Flag(help: "Print the result as JSON, without progress.") var json = false
  @Flag(name: .customLong("settings"), help: "Print every setting with its value for this model as YAML, and exit.")
  var printsSettings = false

  func validate() throws {
    try TrainingOptions.check(options)
    if let evolve, !(1...Evolution.maximum).contains(evolve) {
      throw ValidationError("--evolve must be 1 to \(Evolution.maximum).")
    }
    if resume != nil {
      if evolve != nil { throw ValidationError("an evolution resumes by the same command; remove --resume.") }
      if out != nil { throw ValidationError("--resume continues in the run's own folder; remove --out.") }
      if training.preset != nil || training.config != nil {
        throw ValidationError("--resume uses the run's own settings; remove --preset and --config.")
      }
    }
  }

  func run() async throws {
    try await reporting(outlivesReader: true) {
      let settings =
        try training.settings(options)
        + TrainingOptions.settings([
          "epochs": epochs.map(String.init), "lr": lr.map { "\($0)" }, "seed": seed.map(String.init),
          "save-every": saveEvery.map(String.init), "save-iterations": saveIterations.map(String.init),
          "patience": patience.map(String.init), "multi-scale": multiScale ? "true" : nil,
          "image-weights": imageWeights ? "true" : nil,
          "freeze": freeze.map(String.init), "label-smoothing": labelSmoothing.map { "\($0)" },
        ])
      // A run that ended before its first checkpoint has nothing to resume from: start it.
      let begun = resume.flatMap { RunFolder.begun(at: $0) }
      let earlier = begun == nil ? try resume.map { try EarlierRun($0) } : nil
      if earlier != nil, options.weights != nil {
        throw ValidationError("--resume uses the checkpoint's weights; remove --weights.")
      }
      let model = try await LoadedModel.load(options.model)
      let isDetector = try await model.graph().boxes != nil
      if hyp != nil, !isDetector { throw Failure(.usage, "--hyp is for detectors; \(options.model) is a classifier") }
      if evolve != nil, !isDetector {
        throw Failure(
          .usage,
          "--evolve mutates the hyperparameters of detectors, but \(options.model) is a classifier; `spdc sweep` searches "
            + "its settings")
      }
      let configuration =
        try earlier?.configuration(settings)
        ?? TrainingConfiguration.resolve(
          model: options.model, file: training.config ?? begun?.configurationIfWritten,
          overrides: (try hyp.map(TrainingConfiguration.hyperparameterSettings(contentsOf:)) ?? []) + settings,
          isDetector: isDetector)
      if printsSettings { return Console.print(exactly: configuration.yaml) }
      if let evolve { return try await self.evolve(evolve, configuration) }
      if isDetector {
        try await train(DetectionTask(), model, configuration, earlier: earlier, begun: begun)
      } else {
        try await train(ClassificationTask(), model, configuration, earlier: earlier, begun: begun)
      }
    }
  }

  private func train<Task: TrainingTask>(
    _ task: Task, _ model: LoadedModel, _ configuration: TrainingConfiguration, earlier: EarlierRun?, begun: RunFolder?
  ) async throws {
    let training = try await Training(
      task, model, configuration, options.compile, earlier: earlier, isQuiet: json, inspect: options.dump)
    let folder = try earlier?.folder ?? begun ?? newFolder(training.modules.graph.name)
    if !json {
      Console.note("\(folder.path): \(training.summary)")
      Console.note(training.memory)
      training.data.notes.forEach { Console.note($0) }
      if let begun {
        Console.note(
          "\(begun.path) has no checkpoint yet: starting the run with \(options.weights ?? "weights drawn from the seed")"
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
    if json { try Console.print(json: summary) } else { Console.print(summary.text) }
    if ending == .stopped { throw ExitCode(130) }
  }

  private func newFolder(_ name: String) throws -> RunFolder {
    if let out { return try RunFolder.unused(at: out) }
    do { return try RunFolder.create(named: name) } catch { throw Failure(.cannotWrite, "\(error)") }
  }
}
