import SPD

/// A normalisation with the statistics of the batch, an activation, a residual and a final activation, in one pass.
struct NormalizeKernel: KernelModule {
  let template = "normalize"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.normalize(let op)) = node.op else { mismatch(node) }
    let z = node[.input].segments[0]
    let residual = node.operand(.summand)?.segments[0]
    let statements =
      (op.norm == nil ? [] : ["v = scale * v + shift;"])
      + op.stages.map { stage in
        switch stage {
        case .activate(let activation): c.apply(activation)
        case .add: "v += AT(r + at);"
        case .normalizeByPhase, .gatherStatistics: preconditionFailure("\(stage) in training's normalisation")
        }
      }
    var holes =
      c.extent(node.shape) + c.strides("Z", c.layout(z.node)) + c.strides("R", residual.map { c.layout($0.node) })
      + c.strides("Y", c.layout(node.id)) + [
        "PHASES": "\(op.norm?.phases ?? 1)", "STATEMENTS": statements.joined(separator: " "),
      ]
    holes["CHANNELS"] = nil
    holes = holes + c.tableEntries(op, ["SCALE": 2, "SHIFT": 3])
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(z)), \(node.operand(.statistics).map { c.address($0.segments[0].node) } ?? "NULL"), "
        + "\(residual.map { c.address($0) } ?? "NULL"), \(c.address(node.id)), thread, threads);\n"
    }
  }
}
