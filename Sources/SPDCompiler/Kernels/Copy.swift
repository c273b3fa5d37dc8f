import SPD

/// Writes out what a list of views describes, for readers that take no such address.
struct CopyKernel: KernelModule {
  let template = "copy"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let y = c.layout(node.id)
    let holes = c.copyHoles(
      node[.input], shape: node.shape, padded: y.blocks * channelBlock, blockwise: true,
      y: (y.imageStride, y.rowStride, y.columnStride, y.blockStride, 1))
    let x = node[.input].segments.map(c.viewAddress)
    return EmitC.Invocation(holes: holes) { "\($0)(\(c.pointers(x)), \(c.address(node.id)), thread, threads);\n" }
  }
}

/// Writes one of the network's outputs as the caller wants it: N×C×H×W.
struct StoreKernel: StandaloneKernel {
  var output: Int
  let template = "copy"
  let purpose = "the network's output"
  var functionName: String { "output\(output)_\(template)" }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let operand = c.graph.outputs[output]
    let shape = c.graph.shape(of: operand)
    let plane = shape.height * shape.width
    let holes = c.copyHoles(
      operand, shape: shape, padded: shape.channels, blockwise: false,
      y: (shape.channels * plane, shape.width, 1, channelBlock * plane, plane))
    let x = operand.segments.map(c.viewAddress)
    let offset = c.plan.outputs[output].offset
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers(x)), output\(offset == 0 ? "" : " + \(offset)"), thread, threads);\n"
    }
  }
}
