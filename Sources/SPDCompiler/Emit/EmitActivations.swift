import SPD

// Activations as C: a function for each that the network has, printed from its formula, where none is written by hand.
extension EmitC {
  /// Applies an activation to the vector `v`.
  ///
  /// - Parameter parameter: the address of its parameter for the channels of `v`, of which only some have one.
  func apply(_ activation: Op.Activation, parameter: String? = nil) -> String {
    if let written = activation.written { return "\(written.value)(&v\(written.argument));" }
    return "\(function(of: activation))(&v\(activation.parameter == nil ? "" : ", \(parameter!)"));"
  }

  /// The C function of an activation.
  func functionName(of activation: Op.Activation) -> String { activation.written?.value ?? function(of: activation) }

  /// Turns the vector `u`, an activation's argument, into the derivative there.
  func toSlope(_ activation: Op.Activation) -> String {
    activation.written.map { "\($0.slope)(&u\($0.argument));" } ?? "\(slope(of: activation))(&u);"
  }

  /// The functions that `apply` and `toSlope` call, and templates that define what these call.
  func activationFunctions() throws -> (text: String, helpers: Set<String>) {
    var (text, helpers) = ("", Set<String>())
    func add(_ activation: Op.Activation, _ name: String, _ formula: ScalarExpression, _ result: Int, _ what: String)
      throws
    {
      let printer = ScalarText(expression: formula)
      helpers.formUnion(printer.helpers([result]))
      // The derivative of a linear function is a constant.
      let readsArgument = formula.closure(of: [result]).contains { formula.terms[$0] == .output }
      let template = activation.parameter == nil ? "activation" : "activation_with_parameter"
      text += "\n"
      text += try templates.fill(
        template,
        [
          "TEXT": CText.comment("\(what)\(activation.formula)"), "NAME": name,
          "LINES": (readsArgument ? "" : "\n    (void)y;") + printer.lines([result], indent: 4),
          "RESULT": printer.name(result),
        ])
    }
    let ops = graph.nodes.map(\.op)
    helpers.formUnion(ops.flatMap(\.appliedActivations).compactMap { $0.written?.value })
    if ops.flatMap(\.differentiatedActivations).contains(where: { $0.written != nil }) { helpers.insert("derivatives") }
    let applied = Set(ops.flatMap(\.appliedActivations).map(\.formula))
    let differentiated = Set(ops.flatMap(\.differentiatedActivations).map(\.formula))
    for activation in printed {
      let formula = activation.formula
      if applied.contains(formula) { try add(activation, function(of: activation), formula, formula.result, "") }
      guard differentiated.contains(formula) else { continue }
      let (derivative, result, _) = formula.differentiated()
      try add(activation, slope(of: activation), derivative, result, "The derivative of ")
    }
    return (text, helpers)
  }

  /// Activations without a function in the prelude, each formula once, in the order of the graph.
  static func printedActivations(of graph: Graph) -> [Op.Activation] {
    var seen: [String: Set<ScalarExpression>] = [:]
    return graph.nodes.flatMap { $0.op.appliedActivations + $0.op.differentiatedActivations }
      .filter { $0.written == nil && seen[$0.name, default: []].insert($0.formula).inserted }
  }

  /// Numbered, since a model file may call two of its own the same, or one of its own like another's function.
  private func function(of activation: Op.Activation) -> String {
    guard let index = printed.firstIndex(where: { $0.name == activation.name && $0.formula == activation.formula })
    else {
      preconditionFailure("\(activation.name) is not in the graph")
    }
    return "\(activation.name)_\(index + 1)"
  }

  private func slope(of activation: Op.Activation) -> String { "\(function(of: activation))_slope" }
}

extension Op.Activation {
  /// What is written by hand: functions of an activation and its derivative, and the argument after the vector. The first stands in the
  /// template of its name, the second in that of all derivatives.
  fileprivate var written: (value: String, slope: String, argument: String)? {
    switch kind {
    case "relu": ("relu", "relu_slope", "")
    case "leakyReLU": ("leaky_relu", "leaky_relu_slope", ", (float)\(constants[0])")
    case "silu": ("silu", "silu_slope", "")
    case "sigmoid": ("sigmoid", "sigmoid_slope", "")
    case "hardswish": ("hard_swish", "hard_swish_slope", "")
    default: nil
    }
  }
}

extension Op {
  /// The activations that a node computes.
  var appliedActivations: [Activation] {
    switch self {
    case .activation(let activation): [activation]
    case .convolution(let op): op.epilogue.stages.activations
    case .training(.normalize(let op)): op.stages.activations
    case .input, .batchNorm, .add, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten,
      .linear, .softmax, .decodeBoxes, .copy, .training:
      []
    }
  }

  /// The activations whose slope a node multiplies by. That of a final one follows from its result.
  var differentiatedActivations: [Activation] {
    switch self {
    case .training(.batchNormBackwardReduce(let op)), .training(.normalizeGradient(let op)):
      op.stages.activation.map { [$0] } ?? []
    case .input, .convolution, .batchNorm, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .pool,
      .globalAveragePool, .flatten, .linear, .softmax, .decodeBoxes, .copy, .training:
      []
    }
  }
}
