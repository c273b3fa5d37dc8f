import SPD

/// Batch normalisation, activation or sum as a loop of its own: where no convolution takes them over, and unfused.
struct PointwiseKernel: PackingKernel, TrainingPackingKernel {
  let template = "pointwise"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    // Scales and shifts; by phase, a convolution's nine rows.
    if parametric(node) != nil { return KernelNeeds(packed: node.paddedChannels) }
    guard case .batchNorm(let op) = node.op else { return KernelNeeds() }
    return KernelNeeds(packed: node.paddedChannels * (op.enclosing == nil ? 2 : 9))
  }

  func packing(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> EmitC.PackingStatements {
    if let activation = parametric(node) {
      return c.packParameter(of: activation, channels: node.shape.channels, to: c.packedAddress(node.id))
    }
    guard case .batchNorm(let op) = node.op else { mismatch(node) }
    let (weights, width) = (c.packedAddress(node.id), node.paddedChannels)
    if op.enclosing != nil {
      return c.packPhases(
        op, channels: node.shape.channels, to: "\(weights) + \(width)", width: width)
    }
    return EmitC.PackingStatements(
      "pack_norm",
      "pack_norm(\(weights), \(weights) + \(width), \(width), \(node.shape.channels), 1, "
        + "(const int[]){0}, (const int[]){1}, \(c.norm(op)), thread, threads);")
  }

  let trainingHelpers = ["pack_parameter"]

  func trainingPacking(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> String {
    guard let activation = parametric(node) else { mismatch(node) }
    return c.packTrainingParameter(of: activation, node)
  }

  /// The activation with a parameter that a node computes.
  private func parametric(_ node: Node) -> Op.Activation? {
    if case .activation(let activation) = node.op, activation.parameter != nil { activation } else { nil }
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let y = c.layout(node.id)
    let x = node[.input].segments[0]
    let second = node.operand(.summand)?.segments[0]
    let scope = c.scope(node, second.map { c.layout($0.node) })
    let epilogue =
      switch node.op {
      // By phase, the same table as a convolution's: its first part, from which sums start, is unused here.
      case .batchNorm(let op) where op.enclosing != nil: c.epilogue([.normalizeByPhase(op)], in: scope)
      case .batchNorm:
        EpilogueText(
          name: "batch_norm", description: "batch norm",
          line: ["const float *table = bias + block * BLOCK;"],
          statements: ["v = v * AT(table + n * VL) + AT(table + \(node.paddedChannels) + n * VL);"])
      case .activation(let activation): c.epilogue([.activate(activation)], parametricRows: [0], in: scope)
      case .add: c.epilogue([.add], in: scope)
      case .input, .convolution, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten,
        .linear,
        .softmax, .decodeBoxes, .copy, .training:
        mismatch(node)
      }
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)",
        "BLOCKS": "\(y.blocks)",
      ] + c.strides("X", c.layout(x.node)) + c.strides("Y", y) + epilogue.holes
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers([c.address(x)])), \(c.packedAddress(node.id)), "
        + "\(second.map { c.address($0) } ?? "NULL"), \(c.address(node.id)), thread, threads);\n"
    }
  }
}
