import SPD
import SPDCompiler
import SPDRuntime
import SPDTraining

/// A classifier compiled twice: for training steps and for inference, at the same size and batch.
struct ClassifierModules {
  let graph: Graph
  let trainable: TrainableNetwork
  let inference: Network
  /// Tells generated code and its compiler from others: other numbers come of them in the last digits.
  let codeHash: UInt64
  /// The options that the code depends on, as they are written on the command line.
  let options: String
  /// What the parameters begin with.
  let initial: (Parameter) throws -> [Float]

  init(
    _ options: ModelOptions, _ model: LoadedModel, _ data: TrainingData, _ configuration: TrainingConfiguration,
    volume: TrainingDisplay.Volume
  ) async throws {
    let classes = configuration.classes ?? data.classNames.count
    if let file = options.weights, file != "synthetic" {
      let weighted = try await WeightLoader.load(
        model, size: data.size, batch: configuration.batch, classes: classes, weights: file)
      if let report = weighted.report, volume == .everything {
        Console.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
      }
      graph = weighted.graph
      initial = weighted.weights.values
    } else {
      let graph = try await model.graph(size: data.size, batch: configuration.batch, classes: classes)
      let drawn = InitialWeights(graph: graph, seed: configuration.seed)
      self.graph = graph
      initial = options.weights == nil ? { drawn.values(of: $0) } : syntheticParameter
    }
    try graph.checkClassifier(of: data)
    if let parameter = graph.parameters.first(where: { TrainingCheckpoint.isTrainingState($0.name) }) {
      throw Failure(
        .usage,
        "the parameter \(parameter.name) has a name that checkpoints give to the training's own numbers (optimizer., "
          + "ema.); name the layer otherwise")
    }
    self.options = options.codeOptions
    let builder = try Builder(target: options.target)
    var pipeline = options.pipeline(for: .training)
    // One batch's gradients, as they are, need not wait for each other.
    pipeline.updatesInBackward = configuration.accumulate == 1 && configuration.clip == 0
    if let megabytes = configuration.maxArena {
      pipeline = try ArenaLimit.apply(
        Int(megabytes * 1e6), to: pipeline, graph, builder, threads: configuration.computeThreads)
    }
    let training = try builder.compile(graph, options: pipeline)
    options.dump(training)
    let forward = try builder.compile(graph, options: options.pipeline(for: .inference))
    codeHash = try await builder.key(training)
    trainable = try await builder.loadTrainable(training)
    inference = try await builder.load(forward)
  }

  func trainer(_ configuration: TrainingConfiguration) throws -> Trainer {
    let trainer = try trainable.trainer(
      threads: configuration.computeThreads, rule: configuration.optimizer.rule,
      averages: configuration.average.isOn, accumulates: configuration.accumulate > 1)
    try trainer.load { parameter in
      guard let declared = graph.parameter(parameter.name) else {
        throw Failure(.software, "no parameter \(parameter.name)")
      }
      return try initial(declared)
    }
    return trainer
  }
}

extension Graph {
  /// - Throws: `Failure` where this is no network that tells the data set's classes apart.
  func checkClassifier(of data: TrainingData) throws {
    let input = input.shape
    if case .decodeBoxes = nodes.last?.op {
      throw Failure(.usage, "\(name) detects objects, and this command is for classifiers, such as resnet18-spd")
    }
    let output = shape(of: outputs[0])
    guard outputs.count == 1, output.height == 1, output.width == 1, input.channels == 3 else {
      throw Failure(.usage, "\(name) does not classify images: it makes \(output) of \(input)")
    }
    guard output.channels >= data.classNames.count else {
      throw Failure(
        .usage, "\(name) tells \(output.channels) classes apart, but \(data.training.name) has \(data.classNames.count)"
      )
    }
  }

  /// The checked file of a trained network's parameters.
  func file(of values: (Parameter) throws -> [Float]) throws -> ParameterFile {
    try ParameterFile(graphHash: parameterHash, parameters: EmitC.storedParameters(self), values: values)
  }
}

extension OptimizerConfiguration {
  var rule: Update.Rule {
    switch method {
    case .sgd: .sgd
    case .adam: .adam
    case .adamw: .adamW
    }
  }

  /// One update of all groups at a learning rate.
  func update(rate: Double) -> Update {
    var update = Update(rule: rule, learningRate: rate, momentum: momentum, weightDecay: weightDecay)
    if decay == .weights {
      update.biases.weightDecay = 0
      update.scales.weightDecay = 0
    }
    update.nesterov = nesterov
    update.secondMomentum = beta2
    update.epsilon = epsilon
    return update
  }
}
