import SPD

/// Zeros in the memory of a gradient, none of whose writers is the first everywhere.
struct ClearKernel: KernelModule {
  let template = "clear"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let buffer = c.plan.buffer(of: node.id)
    return EmitC.Invocation(holes: ["COUNT": "\(buffer.layout.count)"]) {
      "\($0)(arena + \(buffer.offset), thread, threads);\n"
    }
  }
}
