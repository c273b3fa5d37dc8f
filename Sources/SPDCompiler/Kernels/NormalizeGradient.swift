import SPD

/// The gradient before `normalize`, of its input and of its residual.
struct NormalizeGradientKernel: KernelModule {
  let template = "normalize_gradient"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.normalizeGradient(let op)) = node.op else { mismatch(node) }
    let (gradient, z) = (node[.gradient].segments[0], node[.input].segments[0])
    let tables = [node.operand(.statistics), node.operand(.sums)].compactMap { $0?.segments[0].node }
    let final = node.operand(.result)?.segments[0]
    let to = node.destinations![0].segments.first
    let residual = node.destinations!.count > 1 ? node.destinations![1].segments.first : nil
    func store(_ pointer: String, _ value: String, _ adds: Bool) -> String {
      "PUT(\(pointer), \(adds ? "AT(\(pointer)) + " : "")\(value));"
    }
    var stores: [String] = []
    if to != nil { stores.append(store("dz + to", op.norm == nil ? "g" : "d", node.destinations![0].adds)) }
    if residual != nil { stores.append(store("dr + other", "h", node.destinations![1].adds)) }
    var holes =
      c.extent(node.shape) + c.strides("G", c.layout(gradient.node)) + c.strides("Z", c.layout(z.node))
      + c.strides("Y", final.map { c.layout($0.node) }) + c.strides("D", to.map { c.layout($0.node) })
      + c.strides("R", residual.map { c.layout($0.node) })
    holes =
      holes + [
        "PHASES": "\(op.norm?.phases ?? 1)", "FINAL": c.finalSlope(op), "SLOPE": c.slope(op),
        "STORE": stores.joined(separator: " "),
      ]
    holes["CHANNELS"] = nil
    holes = holes + c.tableEntries(op, ["SCALE": 2, "SHIFT": 3])
    for (name, row) in ["K0": 2, "K1": 3] {
      holes[name] = op.norm == nil ? "SPLAT(0.0f)" : "AT(sum + (\(row) * \(op.norm!.phases) + phase) * WIDTH)"
    }
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.address(gradient)), \(c.address(z)), \(final.map { c.address($0) } ?? "NULL"), "
        + (tables.isEmpty ? "NULL, NULL, " : tables.map { c.address($0) + ", " }.joined())
        + "\(to.map { c.address($0) } ?? "NULL"), \(residual.map { c.address($0) } ?? "NULL"), thread, threads);\n"
    }
  }
}
