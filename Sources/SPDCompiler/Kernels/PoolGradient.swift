import SPD

/// The gradient before a pool: each window's to its maximum, or shared out evenly.
struct PoolGradientKernel: KernelModule {
  let template = "pool_gradient"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.poolGradient(let op)) = node.op else { mismatch(node) }
    let destination = node.destinations![0]
    let (gradient, x, to) = (node[.gradient].segments[0], node[.input].segments[0], destination.segments[0])
    let output = c.graph.shape(of: node[.gradient])
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "BLOCKS": "\(ChooseTile.ceilDivide(node.shape.channels, channelBlock))",
        "IN_ROWS": "\(node.shape.height)", "IN_COLS": "\(node.shape.width)", "OUT_ROWS": "\(output.height)",
        "OUT_COLS": "\(output.width)", "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)",
        "STRIDE_Y": "\(op.stride.height)", "STRIDE_X": "\(op.stride.width)", "PAD_TOP": "\(op.padding.height)",
        "PAD_LEFT": "\(op.padding.width)", "MAX": op.kind == .max ? "1" : "0", "ADDS": destination.adds ? "1" : "0",
      ] + c.strides("X", c.layout(x.node)) + c.strides("G", c.layout(gradient.node)) + c.strides("D", c.layout(to.node))
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(x)), \(c.address(gradient)), \(c.address(to)), thread, threads);\n"
    }
  }
}
