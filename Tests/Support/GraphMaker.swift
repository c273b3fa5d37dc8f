import SPD
import SPDCompiler
import SPDReference

/// Builds graphs node by node, as passes leave them, with literal or synthetic parameters.
package struct GraphMaker {
  package private(set) var graph: Graph
  private var values: [String: [Float]] = [:]

  package init(_ channels: Int, _ height: Int, _ width: Int, batch: Int = 1) {
    let shape = Shape(batch: batch, channels: channels, height: height, width: width)
    let input = Node(
      id: 0, op: .input, inputs: [], shape: shape, layer: "input", source: SourceLocation(fileID: "test", line: 0))
    graph = Graph(name: "test", nodes: [input], parameters: [], outputs: [Operand(input)], classes: 1)
  }

  /// The whole input.
  package var input: Operand { Operand(graph.nodes[0]) }

  /// Appends a node, which becomes the graph's output, and returns its whole result.
  package mutating func add(_ op: Op, _ inputs: Operand...) throws -> Operand {
    let parameters = graph.parameters
    let shape = try op.outputShape(inputs.map { graph.shape(of: $0) }) { name in parameters.first { $0.name == name } }
    let node = Node(
      id: graph.nextID, op: op, inputs: inputs, shape: shape, layer: "layer",
      source: SourceLocation(fileID: "test", line: graph.nodes.count))
    graph.nodes.append(node)
    graph.outputs = [Operand(node)]
    return Operand(node)
  }

  package mutating func setOutputs(_ operands: Operand...) { graph.outputs = operands }

  /// Declares a parameter; without values it is synthetic.
  package mutating func parameter(
    _ name: String, _ shape: [Int], _ role: Parameter.Role = .weight, _ literal: [Float]? = nil
  ) -> String {
    let parameter = Parameter(name: name, shape: shape, role: role)
    graph.parameters.append(parameter)
    values[name] = literal ?? syntheticParameter(parameter)
    return name
  }

  /// A batch normalisation of `channels` channels whose parameters start with `name`; literals are γ, β, mean, variance.
  package mutating func norm(
    _ name: String, _ channels: Int, epsilon: Double = 1e-3, _ literal: [[Float]]? = nil
  ) -> Op.BatchNorm {
    Op.BatchNorm(
      weight: parameter("\(name).weight", [channels], .normWeight, literal?[0]),
      bias: parameter("\(name).bias", [channels], .normBias, literal?[1]),
      runningMean: parameter("\(name).running_mean", [channels], .runningMean, literal?[2]),
      runningVariance: parameter("\(name).running_var", [channels], .runningVariance, literal?[3]),
      epsilon: epsilon, momentum: 0.1)
  }

  /// One part of a convolution that reads `inputs` channels per group.
  package mutating func part(
    _ name: String, _ outputs: Int, of inputs: Int, kernel: Size2D, biased: Bool = false, weight: [Float]? = nil,
    bias: [Float]? = nil
  ) -> Op.Convolution.Part {
    let shape = [outputs, inputs, kernel.height, kernel.width]
    return Op.Convolution.Part(
      outputs: outputs, weight: parameter("\(name).weight", shape, .weight, weight),
      bias: biased || bias != nil ? parameter("\(name).bias", [outputs], .bias, bias) : nil)
  }

  package func values(of parameter: String) -> [Float] { values[parameter]! }

  /// The graph's outputs concatenated, for the given input or a synthetic one.
  package func run(_ input: [Float]? = nil, precision: Interpreter.Precision = .double) throws -> [Double] {
    try interpreter(precision).results(input: input ?? syntheticInput(graph.input.shape)).flatMap(\.elements)
  }

  /// - Parameter other: the graph after passes, if not the graph itself.
  package func interpreter(_ precision: Interpreter.Precision = .single, of other: Graph? = nil) -> Interpreter {
    let values = values
    return Interpreter(graph: other ?? graph, precision: precision) { name in
      guard let found = values[name] else { throw InterpreterError("no parameter \(name)") }
      return found
    }
  }
}

extension Op.Convolution {
  /// With the defaults of a model file, except that nothing is padded.
  package init(
    kernel: Size2D, stride: Size2D = 1, padding: Size2D = 0, dilation: Size2D = 1, groups: Int = 1, _ parts: Part...
  ) {
    self.init(kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups, parts: parts)
  }
}

/// The maximum difference of two lists; infinite if their lengths differ or anything is NaN.
package func distance(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count, !a.isEmpty else { return .infinity }
  return zip(a, b).map { ($0 - $1).isNaN ? .infinity : abs($0 - $1) }.max()!
}
