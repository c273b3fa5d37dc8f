import SPD

/// A normalisation with the statistics of the batch, an activation, a residual and a final activation, in one pass.
struct NormalizeKernel: KernelModule {
  let template = "normalize"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.normalize(let op)) = node.op else { mismatch(node) }
    let z = node.inputs[0].segments[0]
    let residual = op.addsResidual ? node.inputs[node.inputs.count - 1].segments[0] : nil
    var statements: [String] = op.norm == nil ? [] : ["v = scale * v + shift;"]
    if let activation = op.activation { statements.append(activation.statement) }
    if op.addsResidual { statements.append("v += AT(r + at);") }
    if let activation = op.finalActivation { statements.append(activation.statement) }
    var holes =
      c.extent(node.shape) + c.strides("Z", c.layout(z.node)) + c.strides("R", residual.map { c.layout($0.node) })
      + c.strides("Y", c.layout(node.id)) + [
        "PHASES": "\(op.norm?.phases ?? 1)", "STATEMENTS": statements.joined(separator: " "),
      ]
    holes["CHANNELS"] = nil
    holes = holes + c.tableEntries(op, ["SCALE": 2, "SHIFT": 3])
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(z)), \(op.norm == nil ? "NULL" : c.address(node.inputs[1].segments[0].node)), "
        + "\(residual.map { c.address($0) } ?? "NULL"), \(c.address(node.id)), thread, threads);\n"
    }
  }
}
