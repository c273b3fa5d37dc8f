import SPD

/// Softmax over the channels of each pixel.
struct SoftmaxKernel: UnaryKernel {
  let template = "softmax"

  func holes(
    of node: Node, reading input: Shape, x: TensorLayout, y: TensorLayout, in c: EmitC
  ) -> [String: String] {
    [
      "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)",
      "CHANNELS": "\(node.shape.channels)", "BLOCKS": "\(y.blocks)",
    ] + c.strides("X", x) + c.strides("Y", y)
  }
}
