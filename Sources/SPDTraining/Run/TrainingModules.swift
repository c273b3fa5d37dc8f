import SPD
import SPDCompiler
import SPDDriver
import SPDFormats
import SPDRuntime

/// A network compiled twice: for training steps and for inference, at the same size and batch.
public struct TrainingModules: @unchecked Sendable {
  package let graph: Graph
  package let trainable: TrainableNetwork
  package let inference: Network
  /// Tells generated code and its compiler from others: other numbers come of them in the last digits.
  package let codeHash: UInt64
  /// The options that the code depends on, as they are written on the command line.
  package let options: String
  /// What the parameters begin with.
  package let initial: (Parameter) throws -> [Float]

  /// - Parameters:
  ///   - isQuiet: does not say how weights were mapped.
  ///   - inspect: sees the compiled training step.
  package init(
    _ task: some TrainingTask, _ options: CompileOptions, _ model: LoadedModel, _ data: TrainingData,
    _ configuration: TrainingConfiguration, isQuiet: Bool = false, inspect: (Builder.Compiled) -> Void = { _ in }
  ) async throws {
    if configuration.threads == 0 { _ = try Machine.threadBudget() }
    let classes = configuration.classes ?? data.classNames.count
    if let file = options.weights, file != "synthetic" {
      let weighted = try await WeightLoader.load(
        model, size: data.size, batch: configuration.batch, classes: classes, weights: file)
      if let report = weighted.report, !isQuiet {
        Messages.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
      }
      graph = weighted.graph
      initial = weighted.weights.values
    } else {
      let graph = try await model.graph(size: data.size, batch: configuration.batch, classes: classes)
      let drawn = InitialWeights(graph: graph, seed: configuration.seed)
      self.graph = graph
      initial = options.weights == nil ? { drawn.values(of: $0) } : syntheticParameter
    }
    try task.check(graph, for: data)
    if let parameter = graph.parameters.first(where: { CheckpointFormat.isTrainingState($0.name) }) {
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
      pipeline = try builder.fitting(
        pipeline, graph, arena: Int(megabytes * 1e6), threads: configuration.computeThreads)
    }
    let training = try builder.compile(graph, options: pipeline)
    inspect(training)
    let forward = try builder.compile(graph, options: options.pipeline(for: .inference))
    codeHash = try await builder.key(training)
    trainable = try await builder.loadTrainable(training)
    inference = try await builder.load(forward)
  }

  package func trainer(_ configuration: TrainingConfiguration) throws -> Trainer {
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
  /// The checked file of a trained network's parameters.
  package func file(of values: (Parameter) throws -> [Float]) throws -> ParameterFile {
    try ParameterFile(graphHash: parameterHash, parameters: EmitC.storedParameters(self), values: values)
  }
}
