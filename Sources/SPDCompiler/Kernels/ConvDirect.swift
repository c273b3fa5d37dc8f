import SPD

/// The convolution as the formula says: blocks of 16 inputs by strips of blocks of outputs, a register tile of pixels at a time.
struct ConvDirectKernel: TrainingConvolutionKernel, GatheringKernel {
  var tile: ConvolutionTile
  let template = "conv_direct"
  var explanation: String { tile.description }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .convolution(let op) = node.op else { mismatch(node) }
    return KernelNeeds(packed: packedCount(of: node, op, in: context))
  }

  func statisticsSlots(of node: Node) -> Int {
    let shape = node.shape
    let (images, rows) = tile.joinsImages ? (1, shape.batch * shape.height) : (shape.batch, shape.height)
    return images * ChooseTile.ceilDivide(rows, tile.unitRows)
  }

  // MARK: - weights: [strip][block of inputs][tap][16 inputs][strip × 16 outputs]

  /// Products that make up one output.
  private func depth(_ node: Node, _ op: Op.Convolution) -> Int {
    node.inputBlocks / op.groups * channelBlock * op.kernel.area
  }

  func weightCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int {
    node.paddedChannels * depth(node, op)
  }

  func weightPacking(
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, to offset: Int, in c: EmitC
  ) -> EmitC.PackingStatements {
    let segments = node[.input].segments
    let inputs = op.totalInputChannels ?? c.graph.shape(of: node[.input]).channels
    let weight = c.tensor(part.weight)
    guard op.groups > 1 else {
      return EmitC.PackingStatements(
        "pack_direct",
        "pack_direct(weights + \(offset), \(node.paddedChannels / channelBlock), \(tile.strip), \(depth(node, op)), "
          + "\(c.views(segments)), \(segments.count), \(op.kernel.area), \(inputs), \(weight), \(first), \(part.outputs), "
          + "\(c.norm(part.batchNorm)), thread, threads);")
    }
    precondition(op.epilogue.stages.phaseNorm == nil, "a normalisation by phase after groups")
    // Groups of whole blocks: each is packed and placed as a convolution of its own.
    let perGroup = inputs / op.groups
    let outputs = part.outputs / op.groups
    let depth = depth(node, op)
    let lines = (0..<op.groups).map { group in
      // The normalisation is indexed by the outputs of the group, so it moves along.
      "pack_direct(weights + \(offset + group * depth * outputs), \(outputs / channelBlock), \(tile.strip), \(depth), "
        + "(const input_view[]){{\(perGroup), 0, 1}}, 1, \(op.kernel.area), \(perGroup), "
        + "\(weight) + \(group * outputs * depth), 0, \(outputs), \(c.norm(part.batchNorm, from: group * outputs)), "
        + "thread, threads);"
    }
    return EmitC.PackingStatements(templates: ["pack_direct"], lines: lines)
  }

  let weightPackingHelpers = ["pack_training", "pack_training_direct"]

  func trainingWeightPacking(of node: Node, _ op: Op.Convolution, in c: EmitC) -> String {
    "pack_direct(\(c.packedAddress(node.id)), \(node.paddedChannels / channelBlock), \(tile.strip), "
      + "\(node.inputBlocks), \(c.weightRuns(node, op)), \(c.value(op.parts[0].weight)), \(op.kernel.area), "
      + "\(c.taps(op)), thread, threads);\n"
  }

  // MARK: - C

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let y = c.storeTarget(node)
    let residual = c.residual(node)
    let blocks = y.blocks / op.groups
    let segments = node[.input].segments
    let gathering = c.gathering(
      node, op, strip: tile.strip,
      [
        "ADD": "for (int n = 0; n < blocks * VECTORS; n++)\n        add_statistics(gathered, n, sums + n, rows, cols, "
          + "cols * blocks * VECTORS, blocks * VECTORS);\n    gathered->pixels += rows * cols;"
      ],
      slot: "band", channel: "strip * \(tile.strip) * BLOCK",
      vectors: "(LAST > 0 && strip == STRIPS - 1 ? LAST : \(tile.strip)) * VECTORS")
    let holes: [String: String] =
      [
        "IMAGES": "\(tile.joinsImages ? 1 : node.shape.batch)",
        "OUT_ROWS": "\(tile.joinsImages ? node.shape.batch * node.shape.height : node.shape.height)",
        "OUT_COLS": "\(node.shape.width)", "OUT_BLOCKS": "\(blocks)",
        "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)", "K": "\(depth(node, op))",
        "SEGMENTS": c.accumulations(segments, op),
        "EPILOGUE": c.epilogue(op.epilogue, width: blocks * channelBlock, adds: y.adds),
        "START": start(node.startSegments.first, index: segments.count, in: c),
        "STRIP": "\(tile.strip)", "TILE_COLS": "\(tile.columns)", "TILE_ROWS": "\(tile.rows)",
        "UNIT_ROWS": "\(tile.unitRows)", "STREAM": tile.streams && !y.adds ? "1" : "0",
        "STRIP_MAJOR": tile.stripMajor ? "1" : "0", "ROWS_AHEAD": "\(tile.rowsAhead)",
        "WEIGHTS_AHEAD": "\(tile.weightsAhead)",
      ] + y.holes + c.strides("R", residual.layout) + gathering.holes
    let x =
      segments.map { c.address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) }
      + node.startSegments.map { c.address($0) }
    let (weights, biases) = (c.packedAddress(node.id), biases(of: node, op, in: c))
    guard op.groups > 1 else {
      return EmitC.Invocation(holes: holes, support: gathering.support) {
        "\($0)(\(c.pointers(x)), \(weights), \(biases), \(residual.address), \(y.address)\(gathering.argument), "
          + "thread, threads);\n"
      }
    }
    // Each group is the same convolution a few blocks further on.
    let inBlocks = (segments[0].channels / op.groups) / channelBlock * c.layout(segments[0].node).blockStride
    let outBlocks = blocks * c.layout(node.id).blockStride
    let width = blocks * channelBlock
    let r = residual.layout.map { "\(residual.address) + g * (ptrdiff_t)\(blocks * $0.blockStride)" } ?? "NULL"
    return EmitC.Invocation(holes: holes) {
      """
      for (int g = 0; g < \(op.groups); g++)
          \($0)(\(c.pointers(["\(x[0]) + g * (ptrdiff_t)\(inBlocks)"])), \(weights) + g * (ptrdiff_t)\(depth(node, op) * width), \
      \(biases) + g * (ptrdiff_t)\(width), \(r), \(y.address) + g * (ptrdiff_t)\(outBlocks), thread, threads);

      """
    }
  }

  /// The vector from which the sums of one pixel of a tile start: the bias, or that pixel of the tensor x[index].
  private func start(_ segment: Segment?, index: Int, in c: EmitC) -> String {
    guard let segment else { return "AT(bias + block * BLOCK + n * VL)" }
    let (layout, f) = (c.layout(segment.node), segment.upsampling)
    return "AT(x[\(index)] + image * (ptrdiff_t)\(layout.imageStride) + (row / \(f) + i / cols / \(f)) * "
      + "(ptrdiff_t)\(layout.rowStride) + (block + n / VECTORS) * (ptrdiff_t)\(layout.blockStride) + "
      + "(col / \(f) + i % cols / \(f)) * BLOCK + n % VECTORS * VL)"
  }
}
