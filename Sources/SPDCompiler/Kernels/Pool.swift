import SPD

/// Maxima or averages of windows, by blocks of 16 channels.
struct PoolKernel: KernelModule {
  var kind: Op.Pool.Kind
  var template: String { kind == .max ? "max_pool" : "average_pool" }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .pool(let op) = node.op else { mismatch(node) }
    let y = c.layout(node.id)
    let x = node.inputs[0].segments[0]
    let input = c.graph.shape(of: node.inputs[0])
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "BLOCKS": "\(y.blocks)", "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
        "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)", "STRIDE_Y": "\(op.stride.height)",
        "STRIDE_X": "\(op.stride.width)", "PAD_TOP": "\(op.padding.height)", "PAD_LEFT": "\(op.padding.width)",
      ] + c.strides("X", c.layout(x.node)) + c.strides("Y", y)
    return c.unary(node, x, holes)
  }
}
