import SPD

/// Collects the nodes and initialisers of an ONNX graph.
struct GraphWriter {
  static let inputName = "images"

  let graph: Graph
  var proto = GraphProto()
  /// The ONNX values of the nodes of `graph` written so far.
  private var values: [Node.ID: Value] = [:]
  /// Names in use: nodes, values and initialisers share one namespace.
  private var taken: Set<String>
  private var parametersRead: Set<String> = []

  /// A tensor of the ONNX graph. For N×C×1×1 or N×1×rows×columns in `graph` it may be N×C or N×rows×columns.
  struct Value {
    var name: String
    var dims: [Int]
  }

  init(_ graph: Graph) throws(ONNXExportError) {
    self.graph = graph
    let ends = Set([Self.inputName] + outputNames(count: graph.outputs.count))
    taken = ends.union(graph.parameters.map(\.name))
    if let clash = graph.parameters.first(where: { ends.contains($0.name) }) {
      throw ONNXExportError("the parameter \(clash.name) has the name of the network's input or output")
    }
    proto.name = graph.name
    let input = Value(name: Self.inputName, dims: graph.input.shape.dims)
    proto.input = [description(of: input)]
    values[graph.input.id] = input
  }

  // MARK: Values

  /// The value of an operand, of whatever rank.
  func value(_ operand: Operand) -> Value { values[operand.segments[0].node]! }

  /// The value of an operand as N×C×H×W.
  mutating func map(_ operand: Operand, for layer: String) -> Value {
    reshaped(value(operand), to: graph.shape(of: operand).dims, for: layer)
  }

  /// The values of operands whose second dimension is channels, all of one rank.
  mutating func channelwise(_ operands: [Operand], for layer: String) -> [Value] {
    let values = operands.map { value($0) }
    if values.allSatisfy({ $0.dims.count == 2 }) { return values }
    return operands.map { map($0, for: layer) }
  }

  mutating func reshaped(_ value: Value, to dims: [Int], for layer: String) -> Value {
    if value.dims == dims { return value }
    let shape = constant(dims, "shape", for: layer)
    return Value(name: operation("Reshape", [value.name, shape], for: layer), dims: dims)
  }

  mutating func set(_ node: Node, to value: Value) { values[node.id] = value }

  // MARK: Nodes and initialisers

  /// Appends a node with one result and returns the result's name.
  mutating func operation(
    _ type: String, _ inputs: [String], for layer: String, _ attributes: [AttributeProto] = []
  ) -> String {
    operation(type, inputs, results: 1, for: layer, attributes)[0]
  }

  mutating func operation(
    _ type: String, _ inputs: [String], results: Int, for layer: String, _ attributes: [AttributeProto] = []
  ) -> [String] {
    var node = NodeProto()
    node.opType = type
    node.name = unused(name(type, for: layer))
    node.input = inputs
    node.output = (0..<results).map { unused(node.name + (results == 1 ? "_output" : "_output\($0)")) }
    node.attribute = attributes
    proto.node.append(node)
    return node.output
  }

  /// Refers to a parameter of `graph`, which becomes an initialiser at the end.
  mutating func parameter(_ name: String) -> String {
    parametersRead.insert(name)
    return name
  }

  /// Appends integers, a shape or a range, and returns their name.
  mutating func constant(_ values: [Int], _ suffix: String, for layer: String) -> String {
    let name = unused(name(suffix, for: layer))
    let bytes = values.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) }
    proto.initializer.append(
      TensorProto(dims: [values.count], dataType: TensorProto.Kind.int64, name: name, rawData: bytes))
    return name
  }

  mutating func constant(_ values: [Float], _ dims: [Int], _ suffix: String, for layer: String) -> String {
    let name = unused(name(suffix, for: layer))
    proto.initializer.append(tensor(name, dims, values))
    return name
  }

  private func name(_ last: String, for layer: String) -> String { layer.isEmpty ? last : layer + "/" + last }

  private mutating func unused(_ name: String) -> String {
    if taken.insert(name).inserted { return name }
    var number = 1
    while !taken.insert("\(name)_\(number)").inserted { number += 1 }
    return "\(name)_\(number)"
  }

  // MARK: The end

  /// Names the network's results.
  mutating func appendOutputs() {
    for (operand, name) in zip(graph.outputs, outputNames(count: graph.outputs.count)) {
      let shape = graph.shape(of: operand)
      let layer = graph[operand.segments[0].node].layer
      var result = value(operand)
      if result.dims.count != 3 {
        let dims = shape.size == 1 ? [shape.batch, shape.channels] : shape.dims
        result = reshaped(result, to: dims, for: layer)
      }
      if result.name == Self.inputName || proto.output.contains(where: { $0.name == result.name }) {
        result.name = operation("Identity", [result.name], for: layer)
      }
      rename(result.name, to: name)
      result.name = name
      proto.output.append(description(of: result))
    }
  }

  private mutating func rename(_ old: String, to new: String) {
    for index in proto.node.indices {
      proto.node[index].input = proto.node[index].input.map { $0 == old ? new : $0 }
      proto.node[index].output = proto.node[index].output.map { $0 == old ? new : $0 }
    }
    values = values.mapValues { $0.name == old ? Value(name: new, dims: $0.dims) : $0 }
  }

  /// Inserts the parameters that were read before the other initialisers, in state-dict order.
  mutating func appendParameters(_ parameters: (String) throws -> [Float]) throws {
    let tensors = try graph.parameters.filter { parametersRead.contains($0.name) }.map {
      tensor($0.name, $0.shape, try $0.values(parameters))
    }
    proto.initializer = tensors + proto.initializer
  }
}

private func outputNames(count: Int) -> [String] {
  count == 1 ? ["output"] : (0..<count).map { "output\($0)" }
}

private func tensor(_ name: String, _ dims: [Int], _ values: [Float]) -> TensorProto {
  let bytes = values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) }
  return TensorProto(dims: dims, dataType: TensorProto.Kind.float, name: name, rawData: bytes)
}

private func description(of value: GraphWriter.Value) -> ValueInfoProto {
  let shape = TensorShapeProto(dim: value.dims.map { TensorShapeProto.Dimension(dimValue: $0) })
  return ValueInfoProto(
    name: value.name, type: TypeProto(tensorType: .init(elemType: TensorProto.Kind.float, shape: shape)))
}

extension Parameter {
  /// Reads the parameter's values and checks their count against its shape.
  func values(_ source: (String) throws -> [Float]) throws -> [Float] {
    let values = try source(name)
    guard values.count == count else {
      throw ONNXExportError("\(name) has \(values.count) values, but its shape \(shape) needs \(count)")
    }
    return values
  }
}

extension Shape {
  var dims: [Int] { [batch, channels, height, width] }
}
