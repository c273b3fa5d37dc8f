import SPD

/// A convolution of the caller's planar image, through a space-to-depth of `scale`: with it, a kernel k with stride t and padding p is
/// one of scale·k, scale·t and scale·p.
struct ConvImageKernel: TrainingConvolutionKernel {
  var tile: ConvolutionTile
  var scale: Int
  let template = "conv_image"
  var explanation: String { tile.description }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .convolution(let op) = node.op else { mismatch(node) }
    // The rows that an output row reads, each with its padding.
    let columns = (node.shape.width - 1) * op.stride.width * scale + op.kernel.width * scale
    return KernelNeeds(
      scratch: op.kernel.height * scale * columns * context.graph.input.shape.channels,
      packed: packedCount(of: node, op, in: context))
  }

  // MARK: - weights: [strip][row][column][channel][strip × 16 outputs]

  func weightCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int {
    node.paddedChannels * op.kernel.area * scale * scale * context.graph.input.shape.channels
  }

  func weightPacking(
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, in c: EmitC
  ) -> EmitC.PackingStatements {
    EmitC.PackingStatements(
      "pack_image",
      "\(packing(node, op, c.packedAddress(node.id), in: c)), \(c.tensor(part.weight)), \(first), \(part.outputs), "
        + "\(c.norm(part.batchNorm)), thread, threads);")
  }

  let weightPackingHelpers = ["pack_training_image"]

  func trainingWeightPacking(of node: Node, _ op: Op.Convolution, in c: EmitC) -> String {
    "\(packing(node, op, c.packedAddress(node.id), in: c)), \(c.value(op.parts[0].weight)), \(op.outputs), "
      + "thread, threads);\n"
  }

  /// The beginning of the call, up to the size of the kernel.
  private func packing(_ node: Node, _ op: Op.Convolution, _ to: String, in c: EmitC) -> String {
    let phases = node[.input].segments.sorted { ($0.rowPhase, $0.columnPhase) < ($1.rowPhase, $1.columnPhase) }
    return "pack_image(\(to), \(node.paddedChannels / channelBlock), \(tile.strip), \(c.graph.input.shape.channels), "
      + "\(scale), (const int[]){\(c.list(phases.map(\.target)))}, (const int[]){\(c.list(phases.map(\.targetStride)))}, "
      + "\(op.kernel.height), \(op.kernel.width)"
  }

  // MARK: - C

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .convolution(let op) = node.op else { mismatch(node) }
    c.instances.require("multiply")
    let y = c.layout(node.id)
    let residual = c.residual(node)
    let input = c.graph.input.shape
    let holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "KH": "\(op.kernel.height * scale)", "KW": "\(op.kernel.width * scale)",
        "CHANNELS": "\(input.channels)", "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
        "STRIDE": "\(op.stride.width * scale)", "PAD_TOP": "\(op.padding.height * scale)",
        "PAD_LEFT": "\(op.padding.width * scale)", "STRIP": "\(tile.strip)", "TILE_COLS": "\(tile.columns)",
      ] + c.strides("Y", y)
      + c.epilogue(
        op.epilogue, in: c.scope(node, residual.layout, block: "b", column: "(col + j)", from: "col", pixel: "j")
      ).holes
    let (weights, biases) = (c.packedAddress(node.id), biases(of: node, in: c))
    return EmitC.Invocation(holes: holes) {
      "\($0)(input, scratch, \(weights), \(biases), \(residual.address), \(c.address(node.id)), thread, threads);\n"
    }
  }
}
