import SPD

extension Plan {
  /// Inserts steps that update parameters: each as soon as its gradient is there and nothing reads the parameter any more, so that
  /// the gradient's memory is free again.
  ///
  /// Weights have a step for each; what is small goes with the next one. The last step also takes into the EMA what is
  /// not trained.
  mutating func insertUpdates() {
    var lastUse: [String: Int] = [:]
    var firstGradient: [String: Int] = [:]
    for (index, step) in steps.enumerated() {
      guard let op = step.node.map({ graph[$0].op }) else { continue }
      for name in op.parameterNames { lastUse[name] = index }
      for name in op.gradientNames where firstGradient[name] == nil { firstGradient[name] = index }
    }
    let stored = graph.storedParameters
    var result: [Plan.Step] = []
    var waiting: [Parameter] = []
    // Where each of the old steps now is.
    var moved: [Int] = []
    for (index, step) in steps.enumerated() {
      moved.append(result.count)
      result.append(step)
      let isLast = index == steps.count - 1
      waiting += stored.filter { firstGradient[$0.name] != nil && lastUse[$0.name] == index }
      if isLast { waiting += stored.filter { firstGradient[$0.name] == nil && $0.role.isAveragedOnly } }
      guard isLast || waiting.contains(where: { $0.role == .weight }) else { continue }
      for parameter in waiting {
        guard let first = firstGradient[parameter.name] else { continue }
        gradients.append(
          Plan.Gradient(parameter: parameter.name, count: parameter.count, first: moved[first], last: result.count))
      }
      result.append(Plan.Step(node: nil, kernel: .update(parameters: waiting.map(\.name)), reads: []))
      waiting = []
    }
    steps = result
  }
}

extension Parameter.Role {
  /// Not trained, but part of the EMA: running statistics.
  fileprivate var isAveragedOnly: Bool { isRequired && !isTrainable }
}

extension Op {
  /// Parameters whose gradients it stores.
  var gradientNames: [String] {
    guard case .training(let op) = self else { return [] }
    return switch op {
    case .weightGradient(let op): op.parts.flatMap { [$0.weight] + [$0.bias].compactMap { $0 } }
    case .batchNormBackwardReduce(let op): op.norm.map { [$0.weight, $0.bias] } ?? []
    case .activationGradient(let activation): [activation.parameter].compactMap { $0 }
    case .statistics, .normalize, .loss, .gradient, .normalizeGradient, .poolGradient, .globalAverageGradient,
      .copyGradient:
      []
    }
  }
}
