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

  /// Turns the vector `u`, an activation's argument, into the derivative there.
  func toSlope(_ activation: Op.Activation) -> String {
    activation.written.map { "\($0.slope)(&u\($0.argument));" } ?? "\(slope(of: activation))(&u);"
  }

  /// The functions that `apply` and `toSlope` call, and templates that define what these call.
  func activationFunctions() throws -> (text: String, helpers: Set<String>) {
    var (text, helpers) = ("", Set<String>())
    let ops = graph.nodes.map(\.op)
    let differentiated = Set(ops.flatMap(\.differentiatedActivations).map(\.formula))
    let applied = Set(ops.flatMap(\.appliedActivations).map(\.formula))
    for activation in printed {
      let (derivative, slope, _) = activation.formula.differentiated()
      let functions = [
        (applied, function(of: activation), activation.formula, activation.formula.result, ""),
        (differentiated, self.slope(of: activation), derivative, slope, "The derivative of "),
      ]
      for (users, name, formula, result, what) in functions where users.contains(activation.formula) {
        let printer = ScalarText(expression: formula)
        helpers.formUnion(printer.helpers([result]))
        text +=
          "\n"
          + (try templates.fill(
            activation.parameter == nil ? "activation" : "activation_with_parameter",
            [
              "TEXT": CText.comment("\(what)\(activation.formula)"), "NAME": name,
              "LINES": printer.lines([result], indent: 4), "RESULT": printer.name(result),
            ]))
      }
    }
    return (text, helpers)
  }

  /// Activations without a function in the prelude, each once, in the order of the graph.
  private var printed: [Op.Activation] {
    var seen: [String: Set<ScalarExpression>] = [:]
    return graph.nodes.flatMap { $0.op.appliedActivations + $0.op.differentiatedActivations }
      .filter { $0.written == nil && seen[$0.name, default: []].insert($0.formula).inserted }
  }

  /// No name of the prelude or of a model's functions ends like this. Others of one name, with other constants, are numbered.
  private func function(of activation: Op.Activation) -> String { "\(numbered(activation))_of" }

  private func slope(of activation: Op.Activation) -> String { "\(numbered(activation))_slope_of" }

  private func numbered(_ activation: Op.Activation) -> String {
    let before = printed.prefix { $0.name != activation.name || $0.formula != activation.formula }.count {
      $0.name == activation.name
    }
    return before == 0 ? activation.name : "\(activation.name)_\(before + 1)"
  }
}

extension Op.Activation {
  /// What is written by hand: functions of an activation and its derivative, and the argument after the vector.
  fileprivate var written: (value: String, slope: String, argument: String)? {
    switch self {
    case .relu: ("relu", "relu_slope", "")
    case .silu: ("silu", "silu_slope", "")
    case .sigmoid: ("sigmoid", "sigmoid_slope", "")
    case .hardswish: ("hard_swish", "hard_swish_slope", "")
    default: name == "leaky_relu" ? ("leaky_relu", "leaky_relu_slope", ", (float)\(constants[0])") : nil
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
