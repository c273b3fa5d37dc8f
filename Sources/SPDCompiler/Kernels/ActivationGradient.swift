import SPD

/// The gradient of an activation with a learned parameter, of its argument and of the parameter.
struct ActivationGradientKernel: TrainingPackingKernel {
  let template = "activation_gradient"
  let trainingHelpers = ["pack_parameter"]

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    KernelNeeds(shared: BatchSlots.chunks(node.shape) * node.paddedChannels, packed: node.paddedChannels)
  }

  func trainingPacking(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> String {
    c.packTrainingParameter(of: activation(of: node), node)
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let activation = activation(of: node)
    let (gradient, x) = (node[.gradient].segments[0], node[.input].segments[0])
    let destination = node.destinations![0]
    let to = destination.segments.first
    let (formula, slope, byParameter) = activation.formula.differentiated()
    let text = ScalarText(expression: formula)
    let name = activation.parameter!
    let holes =
      c.extent(node.shape) + c.strides("G", c.layout(gradient.node)) + c.strides("X", c.layout(x.node))
      + c.strides("D", to.map { c.layout($0.node) }) + [
        "CHUNK": "\(BatchSlots.chunkRows(node.shape))", "COUNT": "\(c.graph.parameter(name)!.count)",
        "LINES": text.lines([slope, byParameter], indent: 20), "SLOPE": text.name(slope),
        "BY_PARAMETER": text.name(byParameter),
        "STORE": to == nil ? "" : "PUT(to, \(destination.adds ? "AT(to) + " : "")d);",
      ]
    return EmitC.Invocation(holes: holes, helpers: text.helpers([slope, byParameter])) {
      "\($0)(\(c.address(gradient)), \(c.address(x)), \(c.packedAddress(node.id)), "
        + "\(to.map { c.address($0) } ?? "arena"), \(c.gradient(name)), \(c.workspace(node)), thread, threads);\n"
    }
  }

  private func activation(of node: Node) -> Op.Activation {
    guard case .training(.activationGradient(let activation)) = node.op else { mismatch(node) }
    return activation
  }
}
