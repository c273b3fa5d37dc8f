import SPD

extension GraphWriter {
  /// Writes one node of the graph as one or several ONNX operators.
  mutating func append(_ node: Node, parameters: (String) throws -> [Float]) throws {
    switch node.op {
    case .input: break
    case .convolution(let op): append(node, op)
    case .batchNorm(let op): append(node, op)
    case .activation(let op): append(node, op)
    case .add: joined(node, "Add", [])
    case .concat: joined(node, "Concat", [.int("axis", 1)])
    case .slice(let first, let count): appendSlice(node, first..<(first + count))
    case .spaceToDepth(let op): append(node, op)
    case .upsample(let factor): appendUpsample(node, factor)
    case .pool(let op): append(node, op)
    case .globalAveragePool: map(node, "GlobalAveragePool")
    case .flatten: appendFlatten(node)
    case .linear(let op): append(node, op)
    case .softmax: joined(node, "Softmax", [.int("axis", 1)])
    case .decodeBoxes(let op): try append(node, op, parameters: parameters)
    case .copy, .training: throw ONNXExportError("%\(node.id) is a copy")
    }
  }

  /// Writes an operator from N×C×H×W to N×C×H×W.
  private mutating func map(
    _ node: Node, _ type: String, _ others: [String] = [], _ attributes: [AttributeProto] = []
  ) {
    let x = map(node[.input], for: node.layer)
    let result = operation(type, [x.name] + others, for: node.layer, attributes)
    set(node, to: Value(name: result, dims: node.shape.dims))
  }

  /// Writes an operator that slices or concatenates channels, on maps or on vectors.
  private mutating func joined(
    _ node: Node, _ type: String, others: [String] = [], _ attributes: [AttributeProto]
  ) {
    let values = channelwise(node.inputs, for: node.layer)
    let result = operation(type, values.map(\.name) + others, for: node.layer, attributes)
    set(node, to: Value(name: result, dims: Array(node.shape.dims.prefix(values[0].dims.count))))
  }

  private mutating func append(_ node: Node, _ op: Op.Convolution) {
    let part = op.parts[0]
    let inputs = [parameter(part.weight)] + [part.bias].compactMap { $0 }.map { parameter($0) }
    map(
      node, "Conv", inputs,
      [
        .ints("dilations", op.dilation.dims), .int("group", op.groups), .ints("kernel_shape", op.kernel.dims),
        .ints("pads", op.padding.pads), .ints("strides", op.stride.dims),
      ])
  }

  private mutating func append(_ node: Node, _ op: Op.BatchNorm) {
    let inputs = [op.weight, op.bias, op.runningMean, op.runningVariance].map { parameter($0) }
    map(node, "BatchNormalization", inputs, [.float("epsilon", op.epsilon)])
  }

  private mutating func appendSlice(_ node: Node, _ channels: Range<Int>) {
    let range = [
      constant([channels.lowerBound], "starts", for: node.layer),
      constant([channels.upperBound], "ends", for: node.layer), constant([1], "axes", for: node.layer),
    ]
    joined(node, "Slice", others: range, [])
  }

  private mutating func appendUpsample(_ node: Node, _ factor: Int) {
    let scales = constant([1, 1, Float(factor), Float(factor)], [4], "scales", for: node.layer)
    // Without a region of interest, which only another mode uses.
    map(
      node, "Resize", ["", scales],
      [
        .string("coordinate_transformation_mode", "asymmetric"), .string("mode", "nearest"),
        .string("nearest_mode", "floor"),
      ])
  }

  private mutating func append(_ node: Node, _ op: Op.Pool) {
    let window: [AttributeProto] = [
      .ints("kernel_shape", op.kernel.dims), .ints("pads", op.padding.pads), .ints("strides", op.stride.dims),
    ]
    switch op.kind {
    case .max: map(node, "MaxPool", [], window)
    case .average: map(node, "AveragePool", [], [.int("count_include_pad", 1)] + window)
    }
  }

  /// Flattens a map; a vector is left as it is.
  private mutating func appendFlatten(_ node: Node) {
    var x = value(node[.input])
    if x.dims.count > 2 {
      x.name = operation("Flatten", [x.name], for: node.layer, [.int("axis", 1)])
      x.dims = [node.shape.batch, node.shape.channels]
    }
    set(node, to: x)
  }

  private mutating func append(_ node: Node, _ op: Op.Linear) {
    let input = node[.input]
    let shape = graph.shape(of: input)
    let x = reshaped(value(input), to: [shape.batch, shape.channels], for: node.layer)
    let inputs = [x.name, parameter(op.weight)] + [op.bias].compactMap { $0 }.map { parameter($0) }
    let result = operation("Gemm", inputs, for: node.layer, [.int("transB", 1)])
    set(node, to: Value(name: result, dims: [node.shape.batch, op.outputs]))
  }
}
