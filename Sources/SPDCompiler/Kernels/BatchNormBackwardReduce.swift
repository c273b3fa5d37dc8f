import SPD

/// The two sums over a batch that a normalisation's gradient needs: they are the gradients of its scale and shift.
struct BatchNormBackwardReduceKernel: KernelModule {
  let template = "batch_norm_backward_reduce"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.batchNormBackwardReduce(let op)) = node.op else { mismatch(node) }
    let shape = context.graph.shape(of: node[.gradient])
    return KernelNeeds(
      shared: 2 * BatchSlots.chunks(shape) * (op.norm?.phases ?? 1) * PlanMemory.roundUp(shape.channels))
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.batchNormBackwardReduce(let op)) = node.op else { mismatch(node) }
    guard let norm = op.norm else { preconditionFailure("sums without a normalisation") }
    let (gradient, z, table) = (node[.gradient].segments[0], node[.input].segments[0], node[.statistics].segments[0])
    let final = node.operand(.result)?.segments[0]
    let shape = c.graph.shape(of: node[.gradient])
    let holes =
      c.extent(shape) + c.strides("G", c.layout(gradient.node)) + c.strides("Z", c.layout(z.node))
      + c.strides("Y", final.map { c.layout($0.node) }) + c.phases(norm, shape) + [
        "SLOPE": c.finalSlope(op) + c.slope(op)
      ]
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(gradient)), \(c.address(z)), \(final.map { c.address($0) } ?? "NULL"), "
        + "\(c.address(table.node)), \(c.gradient(norm.weight)), \(c.gradient(norm.bias)), "
        + "\(c.address(node.id)), \(c.workspace(node)), thread, threads);\n"
    }
  }
}
