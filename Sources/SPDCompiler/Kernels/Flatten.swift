import SPD

/// Channels, rows and columns as channels of one pixel, where no linear layer took them over.
struct FlattenKernel: UnaryKernel {
  let template = "flatten"

  func holes(
    of node: Node, reading input: Shape, x: TensorLayout, y: TensorLayout, in c: EmitC
  ) -> [String: String] {
    [
      "ROWS": "\(input.height)", "COLS": "\(input.width)",
      "CHANNELS": "\(input.channels)", "Y_BLOCKS": "\(y.blocks)", "Y_IMAGE": "\(y.imageStride)",
      "Y_BLOCK": "\(y.blockStride)",
    ] + c.strides("X", x)
  }
}
