import SPD

/// The average of each channel's plane.
struct GlobalAverageKernel: KernelModule {
  let template = "global_average"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let y = c.layout(node.id)
    let x = node.inputs[0].segments[0]
    let input = c.graph.shape(of: node.inputs[0])
    var holes =
      [
        "IMAGES": "\(node.shape.batch)", "BLOCKS": "\(y.blocks)", "ROWS": "\(input.height)", "COLS": "\(input.width)",
      ] + c.strides("X", c.layout(x.node)) + c.strides("Y", y)
    holes["Y_ROW"] = nil
    return c.unary(node, x, holes)
  }
}
