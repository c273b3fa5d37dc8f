import SPD

/// Over the channels of each pixel.
struct SoftmaxKernel: KernelModule {
  let template = "softmax"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let y = c.layout(node.id)
    let x = node.inputs[0].segments[0]
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)",
        "CHANNELS": "\(node.shape.channels)", "BLOCKS": "\(y.blocks)",
      ] + c.strides("X", c.layout(x.node)) + c.strides("Y", y)
    return c.unary(node, x, holes)
  }
}
