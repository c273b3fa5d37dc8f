import SPD

extension Graph {
  /// Throws for nodes that only passes make: views, fused operations, copies.
  func checkTraced() throws(ONNXExportError) {
    for node in nodes {
      if let reason = untracedReason(node) {
        throw ONNXExportError(
          "%\(node.id) (\(node.op.name) \(node.layer), \(node.source)) \(reason): only a graph as traced, before any "
            + "pass, can be written as ONNX")
      }
    }
    for output in outputs where output.wholeNode(in: self) == nil {
      throw ONNXExportError(
        "the output reads a part of %\(output.segments[0].node): only a graph as traced, before any pass, can be "
          + "written as ONNX")
    }
  }

  private func untracedReason(_ node: Node) -> String? {
    if let operand = node.inputs.first(where: { $0.wholeNode(in: self) == nil }) {
      return "reads views of %\(operand.segments[0].node)"
    }
    switch node.op {
    case .copy: return "is a copy"
    case .batchNorm(let op): return op.enclosing == nil ? nil : "was hoisted above a space-to-depth"
    case .convolution(let op):
      if op.parts.count != 1 { return "is \(op.parts.count) convolutions in one" }
      if op.totalInputChannels != nil { return "makes only a part of a convolution's sums" }
      if op.parts[0].batchNorm != nil { return "has a batch normalisation folded in" }
      if !op.epilogue.isEmpty || node.inputs.count != 1 { return "has an epilogue" }
      return parameter(op.parts[0].weight)?.shape.count == 4 ? nil : "was a linear layer"
    default: return nil
    }
  }

  /// Throws for a graph that no file can hold, before any parameter is read.
  func checkSize() throws(ONNXExportError) {
    let known = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) })
    let used = Set(nodes.flatMap(\.op.parameterNames)).compactMap { known[$0] }
    // In floating point, which does not overflow.
    let weights = used.map { $0.shape.reduce(4.0) { $0 * Double($1) } }
    let grids = nodes.map { node -> Double in
      guard case .decodeBoxes(let op) = node.op else { return 0 }
      return 8 * Double(node.shape.height / op.anchorsPerLevel)
    }
    guard (weights + grids).reduce(0, +) < Double(Int32.max) else { throw .tooLarge(self) }
  }
}

extension ONNXExportError {
  static func tooLarge(_ graph: Graph) -> ONNXExportError {
    ONNXExportError("\(graph.name) has more than 2 GB of weights, which is all that an ONNX file can hold")
  }
}
