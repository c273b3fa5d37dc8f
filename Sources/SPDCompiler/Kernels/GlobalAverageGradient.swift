import SPD

/// The gradient before a global average: the same for all pixels of a plane.
struct GlobalAverageGradientKernel: KernelModule {
  let template = "global_average_gradient"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let destination = node.destinations![0]
    let (gradient, to) = (node[.gradient].segments[0], destination.segments[0])
    var holes =
      [
        "IMAGES": "\(node.shape.batch)", "BLOCKS": "\(ChooseTile.ceilDivide(node.shape.channels, channelBlock))",
        "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)", "ADDS": destination.adds ? "1" : "0",
      ] + c.strides("G", c.layout(gradient.node)) + c.strides("D", c.layout(to.node))
    holes["G_ROW"] = nil
    return EmitC.Invocation(holes: holes) { "\($0)(\(c.address(gradient)), \(c.address(to)), thread, threads);\n" }
  }
}
