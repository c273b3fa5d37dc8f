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
      return c.packParameter(of: activation, channels: node.shape.channels, to: block.offset)
    }
    guard case .batchNorm(let op) = node.op else { mismatch(node) }
    let width = node.paddedChannels
    if op.enclosing != nil {
      return c.packPhases(
        op, channels: node.shape.channels, scales: block.offset + width, shifts: block.offset + 5 * width, width: width)
    }
    return EmitC.PackingStatements(
      "pack_norm",
      "pack_norm(weights + \(block.offset), weights + \(block.offset + width), \(width), \(node.shape.channels), 1, "
        + "(const int[]){0}, (const int[]){1}, \(c.norm(op)), thread, threads);")
  }

  let trainingHelpers = ["pack_parameter"]

  func trainingPacking(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> String {
    guard let activation = parametric(node) else { mismatch(node) }
    return c.packTrainingParameter(of: activation, node, to: block)
  }

  /// The activation with a parameter that a node computes.
  private func parametric(_ node: Node) -> Op.Activation? {
    if case .activation(let activation) = node.op, activation.parameter != nil { activation } else { nil }
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let y = c.layout(node.id)
    let x = node[.input].segments[0]
    var second: Segment?
    let statement: String
    switch node.op {
    case .batchNorm(let op):
      // By phase, the same table as a convolution's: sums start from its first part, which is unused here.
      let (index, scale, shift) = op.enclosing == nil ? ("channel", 0, 1) : ("phase", 1, 5)
      func table(_ row: Int) -> String {
        row == 0 ? "AT(bias + \(index))" : "AT(bias + \(row * node.paddedChannels) + \(index))"
      }
      statement = "v = v * \(table(scale)) + \(table(shift));"
    case .activation(let activation):
      statement = c.apply(activation, parameter: "bias + channel")
    case .add:
      statement = "v += AT(r + residual);"
      second = node[.summand].segments[0]
    case .input, .convolution, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten, .linear,
      .softmax, .decodeBoxes, .copy, .training:
      mismatch(node)
    }
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)",
        "BLOCKS": "\(y.blocks)", "EPILOGUE": statement,
      ] + c.strides("X", c.layout(x.node)) + c.strides("Y", y) + c.strides("R", second.map { c.layout($0.node) })
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers([c.address(x)])), \(c.packedAddress(node.id)), "
        + "\(second.map { c.address($0) } ?? "NULL"), \(c.address(node.id)), thread, threads);\n"
    }
  }
}
