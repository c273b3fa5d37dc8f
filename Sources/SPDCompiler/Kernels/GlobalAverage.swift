import SPD

/// The average of each channel's plane.
struct GlobalAverageKernel: UnaryKernel {
  let template = "global_average"

  func holes(
    of node: Node, reading input: Shape, x: TensorLayout, y: TensorLayout, in c: EmitC
  ) -> [String: String] {
    var holes =
      [
        "BLOCKS": "\(y.blocks)", "ROWS": "\(input.height)", "COLS": "\(input.width)",
      ] + c.strides("X", x) + c.strides("Y", y)
    holes["Y_ROW"] = nil
    return holes
  }
}
