import SPD
import SPDCompiler
import SPDRuntime

extension TrainingCase {
  /// Runs the training steps with compiled C.
  ///
  /// - Parameters:
  ///   - options: compile options; `classes` defaults to the case's, `weights` to synthetic ones.
  ///   - path: path of the case, for messages.
  /// - Returns: the network's name and the computed results as a case.
  package func run(
    _ model: String, _ options: CompileOptions, threads: Int, path: String
  ) async throws -> (network: String, found: TrainingCase) {
    var options = options
    options.weights = options.weights ?? "synthetic"
    options.classes = options.classes ?? classes
    let weighted = try await options.load(model, size: Size2D(hw[0], hw[1]), batch: batch)
    let builder = try Builder(target: options.target)
    var pipeline = options.pipeline(for: .training)
    pipeline.maxTargets = max(1, targets?.count ?? 1)
    let network = try await builder.loadTrainable(try builder.compile(weighted.graph, options: pipeline))
    let rule = try rule(path)
    let trainer = try network.trainer(threads: threads, rule: rule)
    let values = weighted.weights.values(of: weighted.graph)
    try trainer.load { try values($0.name) }
    return (network.name, try compute(trainer, rule, input: syntheticInput(weighted.graph.input.shape)))
  }

  private func rule(_ path: String) throws -> Update.Rule {
    switch optimizer.name?.lowercased() ?? "sgd" {
    case "sgd": return .sgd
    case "adam": return .adam
    case "adamw": return .adamW
    case let other: throw Failure(.data, "\(path): optimizer.name must be sgd, adam or adamw, not \(other)")
    }
  }

  private func compute(_ trainer: Trainer, _ rule: Update.Rule, input: [Float]) throws -> TrainingCase {
    var found = self
    found.float32_deviation = nil
    for index in steps.indices {
      var update = Update(
        rule: rule, learningRate: optimizer.lr, momentum: optimizer.momentum ?? (rule == .sgd ? 0 : 0.9),
        weightDecay: optimizer.weight_decay ?? 0)
      update.nesterov = optimizer.nesterov ?? false
      update.step = index + 1
      let losses = try gradients(trainer, input)
      found.steps[index] = TrainingCase.Step(
        loss: Double(losses[0]), items: targets == nil ? [] : losses.dropFirst().map { Double($0) })
      if index == 0 {
        let trained = trainer.network.parameters.filter { $0.group != .constant }
        let gradients = trained.map { ($0.name, trainer.values(of: $0.name, in: .gradients) ?? []) }
        found.steps[0].grad_l2 = Dictionary(uniqueKeysWithValues: gradients.map { ($0, norm($1)) })
        found.steps[0].grad_head = Dictionary(
          uniqueKeysWithValues: gradients.map { ($0, $1.prefix(4).map { Double($0) }) })
      }
      try trainer.update(update)
    }
    found.after = Dictionary(
      uniqueKeysWithValues: trainer.network.parameters.map { ($0.name, norm(trainer.values(of: $0.name) ?? [])) })
    return found
  }

  private func gradients(_ trainer: Trainer, _ input: [Float]) throws -> [Float] {
    if let labels = labels {
      return try trainer.gradients(input, .labels(labels, smoothing: label_smoothing ?? 0))
    }
    var rates = DetectionRates()
    if let hyp = hyp {
      rates.box = hyp.box ?? rates.box
      rates.objectness = hyp.obj ?? rates.objectness
      rates.classes = hyp.cls ?? rates.classes
      rates.anchorLimit = hyp.anchor_t ?? rates.anchorLimit
      rates.focalGamma = hyp.fl_gamma ?? rates.focalGamma
      rates.labelSmoothing = hyp.label_smoothing ?? rates.labelSmoothing
      rates.objectnessWeight = hyp.obj_pw ?? rates.objectnessWeight
      rates.classWeight = hyp.cls_pw ?? rates.classWeight
      rates.autobalance = hyp.autobalance ?? rates.autobalance
    }
    return try trainer.gradients(input, .boxes(targets ?? [], rates: rates))
  }

  private func norm(_ values: [Float]) -> Double {
    values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
  }
}
