import SPD

// What the kernels of weight gradients have in common.
extension EmitC {
  /// Inputs, gradient of the result, gradients of weights and biases.
  func weightGradientArguments(_ node: Node, _ op: Op.Convolution) -> String {
    "\(weightGradientSources(node, op)), \(address(node[.gradient].segments[0])), (float *const[]){\(gradient(op.parts[0].weight))}, "
      + "(float *const[]){\(op.parts[0].bias.map(gradient) ?? "NULL")}"
  }

  var gradients: Support { Support(template: "gradients", holes: [:]) }

  func weightGradientHoles(_ node: Node, _ op: Op.Convolution) -> [String: String] {
    let shape = graph.shape(of: node[.gradient])
    let segments = node[.input].segments
    func list(_ value: (Segment) -> Int) -> String { segments.map { "\(value($0))" }.joined(separator: ", ") }
    return [
      "IMAGES": "\(shape.batch)", "OUT_ROWS": "\(shape.height)", "OUT_COLS": "\(shape.width)",
      "OUT_BLOCKS": "\(op.outputBlocks)", "OUTPUTS": "\(op.outputs)",
      "INPUTS": "\(graph.shape(of: node[.input]).channels)", "IN_BLOCKS": "\(node.inputBlocks)",
      "STARTS": "0", "ADD": "0", "CHANNELS": list(\.channels), "TARGETS": list(\.target),
      "TARGET_STRIDES": list(\.targetStride),
    ] + strides("DY", layout(node[.gradient].segments[0].node))
  }

  /// A line for each run of segments that differ only in where they begin: blocks, and steps from block to block, output row to
  /// output row, output column to output column and image to image.
  func passes(_ name: String, over segments: [Segment], stride: Size2D = 1) -> String {
    let lines = segments.map { segment in
      let layout = layout(segment.node)
      return "\(ChooseTile.ceilDivide(segment.channels, channelBlock)), \(layout.blockStride), "
        + "\(stride.height * segment.step * layout.rowStride), \(stride.width * segment.step * layout.columnStride), "
        + "\(layout.imageStride)"
    }
    return runs(lines).map { "\(name)(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
  }

  func weightGradientSources(_ node: Node, _ op: Op.Convolution) -> String {
    pointers(
      node[.input].segments.map { address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) })
  }
}
