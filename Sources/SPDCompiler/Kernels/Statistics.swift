import SPD

/// Mean and variance of a batch, of all pixels or merged from what a convolution gathered; scales, shifts and running statistics.
struct StatisticsKernel: KernelModule {
  let template = "norm_statistics"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.statistics(let norm)) = node.op else { mismatch(node) }
    let shape = context.graph.shape(of: node[.input])
    let slots = BatchSlots.chunks(shape)
    return KernelNeeds(shared: BatchSlots.count(slots, phases: norm.phases, channels: shape.channels))
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.statistics(let norm)) = node.op else { mismatch(node) }
    let z = node[.input].segments[0]
    let shape = c.graph.shape(of: node[.input])
    let gathering = c.graph.gatheringConvolution(of: node)
    let slots =
      gathering.map { convolution in
        convolution.statisticsSlots(c.plan.steps.first { $0.node == convolution.id }!.kernel)
      } ?? BatchSlots.chunks(shape)
    let holes =
      c.extent(shape) + c.strides("Z", c.layout(z.node)) + c.phases(norm, shape)
      + [
        "EPSILON": "\(norm.epsilon)", "MOMENTUM": "\(norm.momentum)", "GATHERED": gathering == nil ? "0" : "1",
        "SLOTS": "\(slots)",
      ]
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(z)), \(c.value(norm.weight)), \(c.value(norm.bias)), \(c.value(norm.runningMean)), "
        + "\(c.value(norm.runningVariance)), \(c.address(node.id)), \(c.workspace(node)), thread, threads);\n"
    }
  }
}
