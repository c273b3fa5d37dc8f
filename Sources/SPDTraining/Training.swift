import SPD
import SPDData
import SPDDriver
import SPDReport

/// A training that is ready to run: a compiled network and its training data.
public struct Training<Task: TrainingTask>: Sendable {
  public let configuration: TrainingConfiguration
  public let data: Task.Data
  package let task: Task
  package let modules: TrainingModules

  /// Compiles a model for training. Programs use the public initialisers of each task.
  ///
  /// - Parameters:
  ///   - earlier: a run to resume, which must match.
  ///   - inspect: receives the compiled training step.
  package init(
    _ task: Task, _ model: LoadedModel, _ configuration: TrainingConfiguration, _ options: CompileOptions,
    earlier: EarlierRun? = nil, isQuiet: Bool = false, inspect: (Builder.Compiled) -> Void = { _ in }
  ) async throws {
    self.task = task
    self.configuration = configuration
    data = try await task.data(configuration, model: model)
    modules = try await TrainingModules(
      task, options, model, data, configuration, isQuiet: isQuiet, inspect: inspect)
    if let earlier {
      try RunFacts(modules: modules, data: data).check(
        earlier.checkpoint, path: earlier.path, classNames: data.classNames)
    }
  }

  /// A one-line description of the training.
  package var summary: String {
    let optimizer = configuration.optimizer
    return "\(modules.graph.name), \(data.trainingName) (\(grouped(data.trainingCount)) images, "
      + "\(grouped(data.validationCount)) for validation, \(data.classNames.count) classes), "
      + "\(data.size.height)×\(data.size.width), batch \(configuration.batch), "
      + "\(optimizer.method.rawValue), lr \(optimizer.learningRate), \(configuration.computeThreads) threads"
  }

  /// The memory that steps need, in one line.
  package var memory: String {
    "memory: " + megabytes(modules.memory.reduce(0) { $0 + $1.bytes }) + " ("
      + modules.memory.map { "\($0.what) \(megabytes($0.bytes))" }.joined(separator: ", ") + ")"
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
  /// - Parameter folder: folder of the run, created if missing; it must not contain a run.
  /// - Returns: the run's checkpoints and metrics.
  /// - Throws: `Failure`: `.usage` for a folder in use, `.diverged` for a loss that is not finite, `.cannotWrite` on a write
  ///   error. The last checkpoint is intact.
  public func run(in folder: String, observer: (any TrainingObserver)? = nil) throws -> TrainingResult {
    let run = try open(in: try RunFolder.unused(at: folder), observer: observer)
    let ending = try run.run()
    if ending == .finished { try run.writeReport() }
    return TrainingResult(run, ending)
  }
}

/// The result of a training.
public struct TrainingResult: Sendable {
  /// A checkpoint of the run.
  public struct Checkpoint: Sendable {
    public var path: String
    /// The epoch, counted from 1.
    public var epoch: Int
    /// The metric that selects the best checkpoint, such as a classifier's top-1 accuracy, from 0 to 1.
    public var metric: Double
  }

  public var folder: RunFolder
  public var ending: TrainingEnding
  public var history: TrainingHistory
  /// Path of the latest checkpoint.
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
  ///   - model: the network. Its number of classes is replaced by the data set's.
  ///   - data: the training and validation images.
  ///   - configuration: the settings; `data` and `model` are overwritten.
  ///   - options: compile options; `weights` are the initial weights.
  /// - Throws: `Failure` or an error that converts to one, naming what does not match.
  public init(
    _ model: Model, data: ImageFolder, configuration: TrainingConfiguration, options: CompileOptions = CompileOptions()
  ) async throws {
    var configuration = configuration
    configuration.model = model.name
    configuration.data = data.path
    try await self.init(ClassificationTask(), LoadedModel(model), configuration, options)
  }
}

/// A data set in a folder: one folder per class, CIFAR or Tiny ImageNet, as read by `openDataset`.
public struct ImageFolder: Sendable {
  public let path: String
  public let splits: DatasetSplits

  /// Opens a data set.
  ///
  /// - Throws: `DataError` naming the expected and the found content.
  public init(_ path: String) throws {
    self.path = path
    splits = try openDataset(path)
  }
}

extension TrainingConfiguration {
  /// Returns settings for SGD with momentum and a step schedule, and defaults for everything else.
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
