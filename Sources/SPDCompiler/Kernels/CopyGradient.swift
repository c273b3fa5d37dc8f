import SPD

/// The gradient before a copy, from blocks to the views that were read.
struct CopyGradientKernel: KernelModule {
  let template = "copy_gradient"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let gradient = node[.gradient].segments[0]
    let views = node.destinations!.flatMap { destination in destination.segments.map { ($0, destination.adds) } }
    let lines = views.enumerated().map { index, view in
      let (segment, adds) = view
      let to = c.layout(segment.node)
      return "GATHER(\(index), \(segment.channels), \(segment.first % channelBlock), \(segment.target), "
        + "\(segment.targetStride), \(node.shape.height / segment.upsampling), \(node.shape.width / segment.upsampling), "
        + "\(to.imageStride), \(segment.step * to.rowStride), \(segment.step * to.columnStride), \(to.blockStride), "
        + "\(segment.upsampling), \(adds ? 1 : 0));"
    }
    // Views that show one place twice in rows of different heights are shared out between threads in different ways.
    let races = node.destinations!.contains { $0.adds && Set($0.segments.map(\.upsampling)).count > 1 }
    let holes =
      ["IMAGES": "\(node.shape.batch)", "SEGMENTS": lines.joined(separator: races ? "\n    BARRIER\n    " : "\n    ")]
      + c.strides("X", c.layout(gradient.node))
    let to = views.map { c.address($0.0) }
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(gradient)), (float *const[]){\(to.joined(separator: ", "))}, thread, threads);\n"
    }
  }
}
