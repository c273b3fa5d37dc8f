import SPD

/// Channels, rows and columns as channels of one pixel, where no linear layer took them over.
struct FlattenKernel: KernelModule {
  let template = "flatten"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let y = c.layout(node.id)
    let x = node.inputs[0].segments[0]
    let input = c.graph.shape(of: node.inputs[0])
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(input.height)", "COLS": "\(input.width)",
        "CHANNELS": "\(input.channels)", "Y_BLOCKS": "\(y.blocks)", "Y_IMAGE": "\(y.imageStride)",
        "Y_BLOCK": "\(y.blockStride)",
      ] + c.strides("X", c.layout(x.node))
    return c.unary(node, x, holes)
  }
}
