import SPD
import SPDCompiler
import SPDDriver
import SPDFormats
import SPDRuntime

/// A network compiled for training and for inference, with the same batch, and a module for each input size.
public struct TrainingModules: @unchecked Sendable {
  /// The network at the size of the data.
  package let graph: Graph
  package let trainable: TrainableNetworks
  package let inference: InferenceNetworks
  /// Memory of a run in bytes by purpose: the arena of a step, the state of all parameters, the mini-batches that are loaded.
  package let memory: [(what: String, bytes: Int)]
  /// The options that affect generated code, as written on the command line.
  package let options: String
  /// Returns a parameter's initial values.
  package let initial: (Parameter) throws -> [Float]

  /// - Parameters:
  ///   - isQuiet: does not report how weights were mapped.
  ///   - inspect: receives the compiled training step.
  package init<Task: TrainingTask>(
    _ task: Task, _ options: CompileOptions, _ model: LoadedModel, _ data: Task.Data,
    _ configuration: TrainingConfiguration, isQuiet: Bool = false, inspect: (Builder.Compiled) -> Void = { _ in }
  ) async throws {
    if configuration.threads == 0 { _ = try Machine.threadBudget() }
    let classes = configuration.classes ?? data.classNames.count
    if let file = options.weights, file != "synthetic", Task.transfersWeights {
      let found = try await WeightLoader.transfer(
        to: model, size: data.size, batch: configuration.batch, classes: classes, weights: file)
      if !isQuiet { Messages.note("weights: \(file) (\(found.report.origin)), \(found.report.summary)") }
      let graph = found.graph
      let drawn = InitialWeights(graph: graph, seed: configuration.seed)
      self.graph = graph
      initial = {
        found.values[$0.name] ?? task.initialValues(drawn.values(of: $0), of: $0, in: graph, data)
      }
    } else if let file = options.weights, file != "synthetic" {
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
      initial =
        options.weights == nil
        ? { task.initialValues(drawn.values(of: $0), of: $0, in: graph, data) } : syntheticParameter
    }
    try task.check(graph, for: data)
    if let parameter = graph.parameters.first(where: { CheckpointFormat.isTrainingState($0.name) }) {
      throw Failure(
        .usage,
        "the name of parameter \(parameter.name) starts with a prefix that checkpoints reserve (optimizer., "
          + "ema.); rename the layer")
    }
    self.options = options.codeOptions
    let builder = try Builder(target: options.target)
    var pipeline = options.pipeline(for: .training)
    // Gradients that are neither accumulated nor clipped can be applied at once.
    pipeline.updatesInBackward = configuration.accumulation == 1 && configuration.clip == 0
    pipeline.maxTargets = task.maximumTargets(data, configuration)
    trainable = try await TrainableNetworks(
      builder, pipeline, model, graph, sizes: task.trainingSizes(data, configuration), configuration, inspect: inspect)
    let float = MemoryLayout<Float>.size
    // Values and momentum, and as the settings ask, gradients, their sum, second moments and EMA.
    let arrays =
      2 + (pipeline.updatesInBackward ? 0 : 1) + (configuration.accumulation > 1 ? 1 : 0)
      + (configuration.optimizer.method == .sgd ? 0 : 1) + (configuration.average.isOn ? 1 : 0)
    memory = [
      (trainable.arenaTitle, trainable.largest.arenaBytes(threads: configuration.computeThreads)),
      ("state", arrays * trainable.largest.stateCount * float),
      ("images", (configuration.loaderThreads + 3) * trainable.maximumInputCount * float),
    ]
    inference = try await InferenceNetworks(
      builder, options.pipeline(for: .inference), model, graph, sizes: task.validationSizes(data, configuration))
  }

  package func trainer(_ configuration: TrainingConfiguration) throws -> Trainer {
    // The arena of the largest network serves the others.
    let trainer = try trainable.largest.trainer(
      threads: configuration.computeThreads, rule: configuration.optimizer.rule,
      averages: configuration.average.isOn, accumulates: configuration.accumulation > 1)
    try trainer.load { parameter in
      guard let declared = graph.parameter(parameter.name) else {
        throw Failure(.software, "internal error: no parameter \(parameter.name)")
      }
      return try initial(declared)
    }
    return trainer
  }
}

extension Graph {
  /// Returns the parameter file of a trained network.
  package func file(of values: (Parameter) throws -> [Float]) throws -> ParameterFile {
    try ParameterFile(graphHash: parameterHash, parameters: storedParameters, values: values)
  }
}
