import SPD
import SPDCompiler

/// Evaluates a graph node by node with loops that follow the definitions of the operations: the oracle for passes and
/// generated code.
///
/// It accepts any graph, as traced or after any pass. Sums are accumulated in `Double`.
public struct Interpreter {
  /// The precision that the result of each node is rounded to.
  public enum Precision: Sendable {
    case single
    case double
  }

  let graph: Graph
  let precision: Precision
  let parameters: (String) throws -> [Float]

  /// - Parameter parameters: returns the values of a parameter by name, row-major.
  public init(graph: Graph, precision: Precision = .single, parameters: @escaping (String) throws -> [Float]) {
    self.graph = graph
    self.precision = precision
    self.parameters = parameters
  }

  /// Evaluates every node.
  ///
  /// - Parameters:
  ///   - input: the image, NCHW.
  ///   - keepAll: return the results of all nodes; otherwise a result is released after its last reader, and only those
  ///     that the graph's outputs read are returned.
  ///   - onNode: called with each node and its result, in graph order.
  ///   - progress: called with the number of finished nodes and of all nodes, before the first node and after each.
  /// - Throws: `GraphError` if the graph is invalid, `InterpreterError` if the input or a parameter has the wrong
  ///   number of values, and any error of the closures.
  public func run(
    input: [Float], keepAll: Bool = false, onNode: ((Node, Values) throws -> Void)? = nil,
    progress: ((_ done: Int, _ of: Int) throws -> Void)? = nil
  ) throws -> [Node.ID: Values] {
    try graph.verify()
    guard input.count == graph.input.shape.count else {
      throw InterpreterError(
        "the input has \(input.count) values, but \(graph.name) reads \(graph.input.shape.batch)×\(graph.input.shape)")
    }
    let lastReader = lastReaders()
    var values: [Node.ID: Values] = [:]
    try progress?(0, graph.nodes.count)
    for (position, node) in graph.nodes.enumerated() {
      var result: Values
      if node.op == .input {
        result = Values(node.shape, input.map { Double($0) })
      } else {
        let inputs = Operands(
          node, node.inputs.enumerated().map { read($1, channels: node.op.inputChannels($0), from: values) })
        result = try evaluate(node, inputs)
        precondition(result.shape == node.shape, "%\(node.id) gave \(result.shape), not \(node.shape)")
      }
      if precision == .single { result = result.map { Double(Float($0)) } }
      values[node.id] = result
      try onNode?(node, result)
      if !keepAll { values = values.filter { lastReader[$0.key, default: -1] > position } }
      try progress?(position + 1, graph.nodes.count)
    }
    return values
  }

  /// Evaluates every node and returns the network's outputs, gathered; the parameters are those of `run`.
  public func results(
    input: [Float], onNode: ((Node, Values) throws -> Void)? = nil,
    progress: ((_ done: Int, _ of: Int) throws -> Void)? = nil
  ) throws -> [Values] {
    let values = try run(input: input, onNode: onNode, progress: progress)
    return graph.outputs.map { read($0, from: values) }
  }

  /// Returns the same as `results`, in single precision.
  public func outputs(
    input: [Float], onNode: ((Node, Values) throws -> Void)? = nil,
    progress: ((_ done: Int, _ of: Int) throws -> Void)? = nil
  ) throws -> [[Float]] {
    try results(input: input, onNode: onNode, progress: progress).map(\.floats)
  }

  /// The position of the last reader of each result; the graph's outputs are read after all nodes.
  private func lastReaders() -> [Node.ID: Int] {
    var last: [Node.ID: Int] = [:]
    for (position, node) in graph.nodes.enumerated() {
      for segment in node.inputs.flatMap(\.segments) { last[segment.node] = position }
    }
    for segment in graph.outputs.flatMap(\.segments) { last[segment.node] = graph.nodes.count }
    return last
  }

  func evaluate(_ node: Node, _ inputs: Operands) throws -> Values {
    switch node.op {
    case .input: preconditionFailure("the input is given")
    case .convolution(let op): try convolution(op, inputs, node.shape)
    case .batchNorm(let op): try batchNorm(op, inputs[.input])
    case .activation(let activation): try activate(activation, inputs[.input])
    case .add: Values(node.shape, zip(inputs[.input].elements, inputs[.summand].elements).map { $0 + $1 })
    case .concat: concat(inputs.all, node.shape)
    case .slice(let first, _): Values(node.shape) { n, c, y, x in inputs[.input][n, first + c, y, x] }
    case .spaceToDepth(let op): spaceToDepth(op, inputs[.input], node.shape)
    case .upsample(let factor): Values(node.shape) { n, c, y, x in inputs[.input][n, c, y / factor, x / factor] }
    case .pool(let op): pool(op, inputs[.input], node.shape)
    case .globalAveragePool: globalAveragePool(inputs[.input], node.shape)
    case .flatten: Values(node.shape, inputs[.input].elements)
    case .linear(let op): try linear(op, inputs[.input], node.shape)
    case .softmax: softmax(inputs[.input])
    case .decodeBoxes(let op): try decodeBoxes(op, inputs.all, node.shape)
    case .copy: inputs[.input]
    case .training: throw InterpreterError("\(node.op.name) is evaluated by trainingStep")
    }
  }

  /// Reads the values of a parameter and checks that there are `count`.
  func parameter(_ name: String, count: Int) throws -> [Double] {
    let values = try parameters(name)
    guard values.count == count else {
      throw InterpreterError("\(name) has \(values.count) values, but its reader needs \(count)")
    }
    return values.map { Double($0) }
  }
}

/// The tensors that a node reads, by the parts that they play.
struct Operands {
  let node: Node
  let all: [Values]

  init(_ node: Node, _ values: [Values]) {
    self.node = node
    all = values
  }

  subscript(role: OperandRole) -> Values {
    guard let index = node.index(of: role) else { preconditionFailure("\(node.op.name) has no \(role)") }
    return all[index]
  }
}

/// An input or a parameter that does not fit the graph.
public struct InterpreterError: Error, CustomStringConvertible, Equatable, Sendable {
  public var description: String
  public init(_ description: String) { self.description = description }
}
