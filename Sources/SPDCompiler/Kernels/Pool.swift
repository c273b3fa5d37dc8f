import SPD

/// Maxima or averages of windows, by blocks of 16 channels.
struct PoolKernel: UnaryKernel {
  var kind: Op.Pool.Kind
  var template: String { kind == .max ? "max_pool" : "average_pool" }

  func holes(
    of node: Node, reading input: Shape, x: TensorLayout, y: TensorLayout, in c: EmitC
  ) -> [String: String] {
    guard case .pool(let op) = node.op else { mismatch(node) }
    return [
      "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
      "BLOCKS": "\(y.blocks)", "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
      "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)", "STRIDE_Y": "\(op.stride.height)",
      "STRIDE_X": "\(op.stride.width)", "PAD_TOP": "\(op.padding.height)", "PAD_LEFT": "\(op.padding.width)",
    ] + c.strides("X", x) + c.strides("Y", y)
  }
}
