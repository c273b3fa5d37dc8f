import SPD
import SPDData
import SPDDriver
import SPDReport

/// A training that is ready to run: a network, compiled, and the images that it learns from.
public struct Training<Task: TrainingTask>: Sendable {
  public let configuration: TrainingConfiguration
  public let data: TrainingData
  package let task: Task
  package let modules: TrainingModules

  /// Compiles a model for training; see the initialisers of each task for programs.
  ///
  /// - Parameters:
  ///   - earlier: a run to resume, which must fit.
  ///   - inspect: sees the compiled training step.
  package init(
    _ task: Task, _ model: LoadedModel, _ configuration: TrainingConfiguration, _ options: CompileOptions,
    earlier: EarlierRun? = nil, isQuiet: Bool = false, inspect: (Builder.Compiled) -> Void = { _ in }
  ) async throws {
    self.task = task
    self.configuration = configuration
    data = try await TrainingData(configuration, model: model)
    modules = try await TrainingModules(
      task, options, model, data, configuration, isQuiet: isQuiet, inspect: inspect)
    if let earlier {
      try RunFacts(modules: modules, data: data).check(
        earlier.checkpoint, path: earlier.path, classNames: data.classNames)
    }
  }

  /// One line about what is going to happen.
  package var summary: String {
    let optimizer = configuration.optimizer
    return "\(modules.graph.name), \(data.training.name) (\(grouped(data.training.count)) images, "
      + "\(grouped(data.validation.count)) for validation, \(data.classNames.count) classes), "
      + "\(data.size.height)×\(data.size.width), batch \(configuration.batch), "
      + "\(optimizer.method.rawValue), lr \(optimizer.learningRate), \(configuration.computeThreads) threads"
  }

  /// Opens the run's files in a folder.
  package func open(
    in folder: RunFolder, from earlier: EarlierRun? = nil, observer: (any TrainingObserver)? = nil
  ) throws -> TrainingRun<Task> {
    try TrainingRun(
      task, configuration, folder: folder, data: data, modules: modules,
      from: earlier.map { ($0.checkpoint, path: $0.path) }, observer: observer)
  }

  /// Trains to the last epoch and writes the report.
  ///
  /// - Parameter folder: of the run: made if it is missing, refused if it holds a run.
  /// - Returns: the run's checkpoints and what was measured.
  /// - Throws: `Failure`: `.usage` for a folder in use, `.diverged` for a loss that is not finite, `.cannotWrite` where the disk
  ///   is full; the last checkpoint is intact.
  public func run(in folder: String, observer: (any TrainingObserver)? = nil) throws -> TrainingResult {
    let run = try open(in: try RunFolder.unused(at: folder), observer: observer)
    let ending = try run.run()
    if ending == .finished { try run.writeReport() }
    return TrainingResult(run, ending)
  }
}

/// What a training left.
public struct TrainingResult: Sendable {
  /// A checkpoint of the run.
  public struct Checkpoint: Sendable {
    public var path: String
    /// Counted from 1.
    public var epoch: Int
    /// The metric by which the best checkpoint is chosen, such as the top-1 accuracy of a classifier, from 0 to 1.
    public var metric: Double
  }

  public var folder: RunFolder
  public var ending: TrainingEnding
  public var history: TrainingHistory
  /// Path of the checkpoint of the last moment.
  public var last: String
  /// The best checkpoint; nil before the first validation.
  public var best: Checkpoint?

  init(_ run: TrainingRun<some TrainingTask>, _ ending: TrainingEnding) {
    folder = run.folder
    self.ending = ending
    history = run.state.history
    last = run.folder.checkpoint(.last)
    best = run.state.best.map {
      Checkpoint(path: run.folder.checkpoint(.best), epoch: $0.epoch, metric: $0.metric)
    }
  }
}

extension Training where Task == ClassificationTask {
  /// Compiles a classifier for training.
  ///
  /// - Parameters:
  ///   - model: as many classes as the data set has, whatever it declares.
  ///   - data: what it learns from.
  ///   - configuration: how; `data` and `model` in it are set.
  ///   - options: how the network is compiled; `weights` begin the training.
  /// - Throws: `Failure` or an error that converts to one, naming what does not fit.
  public init(
    _ model: Model, data: ImageFolder, configuration: TrainingConfiguration, options: CompileOptions = CompileOptions()
  ) async throws {
    var configuration = configuration
    configuration.model = model.name
    configuration.data = data.path
    try await self.init(ClassificationTask(), LoadedModel(model), configuration, options)
  }
}

/// A folder of images with one folder per class, CIFAR or Tiny ImageNet: what `openDataset` reads.
public struct ImageFolder: Sendable {
  public let path: String
  public let splits: DatasetSplits

  /// - Throws: `DataError` that says what was looked for and what was found.
  public init(_ path: String) throws {
    self.path = path
    splits = try openDataset(path)
  }
}

extension TrainingConfiguration {
  /// SGD with momentum and a step schedule; everything else at its default.
  public static func sgd(
    epochs: Int, batch: Int, learningRate: Double, momentum: Double = 0.9, weightDecay: Double = 5e-4
  ) -> TrainingConfiguration {
    var configuration = TrainingConfiguration(preset: TrainingPreset.fallback, model: "")
    (configuration.epochs, configuration.batch) = (epochs, batch)
    configuration.optimizer.learningRate = learningRate
    configuration.optimizer.momentum = momentum
    configuration.optimizer.weightDecay = weightDecay
    return configuration
  }
}
