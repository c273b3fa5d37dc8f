import SPD

extension GraphWriter {
  /// Writes an activation as ONNX's operator, or as the arithmetic of its formula where opset 17 has none.
  mutating func append(_ node: Node, _ activation: Op.Activation) {
    let x = value(node[.input])
    let result =
      if let known = activation.onnx {
        operation(
          known.type, [x.name] + parameters(of: activation, for: x, node), for: node.layer,
          known.attributes.map { .float($0.name, $0.value) })
      } else {
        append(activation.formula, of: [x.name] + parameters(of: activation, for: x, node), for: node.layer)
      }
    set(node, to: Value(name: result, dims: x.dims))
  }

  /// A learned parameter, one value or one for each channel, in a shape that ONNX stretches to that of x.
  private mutating func parameters(of activation: Op.Activation, for x: Value, _ node: Node) -> [String] {
    guard let name = activation.parameter, let count = graph.parameter(name)?.count else { return [] }
    let value = Value(name: parameter(name), dims: [count])
    return [x.dims.count == 2 ? value.name : reshaped(value, to: [count, 1, 1], for: node.layer).name]
  }

  /// - Parameter values: the argument, and the parameter of one that has it.
  private mutating func append(_ formula: ScalarExpression, of values: [String], for layer: String) -> String {
    var names: [Int: String] = [:]
    for index in formula.closure(of: [formula.result]) {
      names[index] =
        switch formula.terms[index] {
        case .output: values[0]
        case .target: values[1]
        case .constant(let value): constant([Float(value)], [], "constant", for: layer)
        case .function(let function, let a): operation(function.onnx, [names[a]!], for: layer)
        case .operation(.atLeast, let a, let b):
          operation(
            "Cast", [operation("GreaterOrEqual", [names[a]!, names[b]!], for: layer)], for: layer,
            [.int("to", TensorProto.Kind.float)])
        case .operation(let operation, let a, let b):
          self.operation(operation.onnx, [names[a]!, names[b]!], for: layer)
        case .reduction: preconditionFailure("\(formula) is no activation")
        }
    }
    return names[formula.result]!
  }
}

extension ScalarExpression.Function {
  fileprivate var onnx: String {
    switch self {
    case .exp: "Exp"
    case .log: "Log"
    case .sqrt: "Sqrt"
    case .sigmoid: "Sigmoid"
    case .softplus: "Softplus"
    case .sign: "Sign"
    case .tanh: "Tanh"
    case .erf: "Erf"
    }
  }
}

extension ScalarExpression.Operation {
  fileprivate var onnx: String {
    switch self {
    case .add: "Add"
    case .subtract: "Sub"
    case .multiply: "Mul"
    case .divide: "Div"
    case .maximum: "Max"
    case .minimum: "Min"
    case .atLeast: "GreaterOrEqual"
    }
  }
}
