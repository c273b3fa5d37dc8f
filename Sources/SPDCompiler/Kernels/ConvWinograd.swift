import SPD

/// 3×3 convolutions with stride 1 by Winograd's algorithm: fewer products, and weights that are larger by its elements over nine. Reads
/// blocks of 16 channels, or the caller's image through a space-to-depth of `imageScale`.
struct ConvWinogradKernel: TrainingConvolutionKernel, GatheringKernel {
  var tile: WinogradTile
  var imageScale: Int?
  let template = "conv_winograd"
  var explanation: String {
    "F(\(tile.size)) \(tile.group)×\(tile.strip) of \(tile.tiles)\(tile.shared ? " shared" : "")"
  }

  /// Blocks of 16 channels of a tile; the channels and phases of an image fit into one.
  private func inputBlocks(_ node: Node) -> Int { imageScale == nil ? node.inputBlocks : 1 }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let inputs = tile.elements * tile.inputPlane(node.shape, inputBlocks: inputBlocks(node))
    let products = tile.elements * tile.productPlane(node.shape)
    return KernelNeeds(
      scratch: products + (tile.shared ? 0 : inputs), shared: tile.shared ? inputs : 0,
      packed: packedCount(of: node, op, in: context), overhangingTile: imageScale == nil ? tile.size : nil)
  }

  func statisticsSlots(of node: Node) -> Int {
    let count = tile.count(node.shape)
    let (whole, rest) = (count / tile.tiles, count % tile.tiles)
    return whole * ChooseTile.ceilDivide(tile.tiles, tile.group) + ChooseTile.ceilDivide(rest, tile.group)
  }

  // MARK: - weights: [strip][element][block of inputs][16 inputs][strip × 16 outputs]

  func weightCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int {
    let outputs = node.paddedChannels
    let packed = tile.share == 0 ? outputs : min(outputs, tile.share * tile.strip * channelBlock)
    return packed * inputBlocks(node) * channelBlock * tile.elements
  }

  private var transform: String {
    Winograd.of(size: tile.size).kernelTransform.joined().map { "\($0)" }.joined(separator: ", ")
  }

  func weightPacking(
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, to offset: Int, in c: EmitC
  ) -> EmitC.PackingStatements {
    let inputs = op.totalInputChannels ?? c.graph.shape(of: node[.input]).channels
    let segments = node[.input].segments
    // An image's channels and phases lie in the weights' order.
    let isImage = imageScale != nil
    let (views, count) = isImage ? ("(const input_view[]){{\(inputs), 0, 1}}", 1) : (c.views(segments), segments.count)
    return EmitC.PackingStatements(
      "pack_winograd",
      "pack_winograd(weights + \(offset), \(node.paddedChannels / channelBlock), \(tile.strip), "
        + "\(inputBlocks(node) * channelBlock), \(views), \(count), \(tile.edge), (const double[]){\(transform)}, \(inputs), "
        + "\(c.tensor(part.weight)), \(first), \(part.outputs), \(c.norm(part.batchNorm)), thread, threads);")
  }

  let weightPackingHelpers = ["pack_training", "pack_training_winograd"]

  func trainingWeightPacking(of node: Node, _ op: Op.Convolution, in c: EmitC) -> String {
    let blocks = node.paddedChannels / channelBlock
    let first = tile.share == 0 ? blocks : min(blocks, tile.share * tile.strip)
    return trainingWeightPacking(of: node, op, blocks: ("0", "\(first)"), in: c)
  }

  /// - Parameter blocks: the first of the outputs and the one after the last, of which the last strip may lack some.
  private func trainingWeightPacking(
    of node: Node, _ op: Op.Convolution, blocks: (first: String, last: String), in c: EmitC
  ) -> String {
    "pack_winograd(\(c.packedAddress(node.id)), \(blocks.first), \(blocks.last), \(node.paddedChannels / channelBlock), "
      + "\(tile.strip), \(inputBlocks(node)), \(c.weightRuns(node, op, isImage: imageScale != nil)), "
      + "\(c.value(op.parts[0].weight)), \(c.taps(op)), \(tile.edge), (const float[]){\(transform)}, thread, threads);\n"
  }

  // MARK: - C

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let y = c.storeTarget(node)
    let residual = c.residual(node)
    let source = source(node, op, in: c)
    // The last strip may be narrower.
    let strips = Set([min(tile.strip, y.blocks), y.blocks % tile.strip]).subtracting([0]).sorted()
    let products = tile.groupSizes(node.shape).flatMap { tiles in strips.map { (tiles: tiles, strip: $0) } }
    let gathering = c.gathering(
      node, op, strip: tile.strip,
      [
        "KEEP": "sums[i * \(tile.size) + j] = v;",
        "ADD": "add_statistics(gathered, b * VECTORS + n, sums, rows, cols, \(tile.size), 1);",
        "COUNT": "gathered->pixels += rows * cols;",
      ],
      slot: "i * \(ChooseTile.ceilDivide(tile.tiles, tile.group)) + group", channel: "strip * \(tile.strip) * BLOCK",
      vectors: "blocks * VECTORS")
    let holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "IN_BLOCKS": "\(inputBlocks(node))", "M": "\(tile.size)", "STRIP": "\(tile.strip)",
        "TILES": "\(tile.tiles)", "GROUP": "\(tile.group)", "CHUNK": "\(tile.chunk)",
        "V_PLANE": "\(tile.inputPlane(node.shape, inputBlocks: inputBlocks(node)))",
        "M_PLANE": "\(tile.productPlane(node.shape))", "SHARED": tile.shared ? "1" : "0",
        "STREAM": tile.streams && !y.adds ? "1" : "0", "FETCH": !tile.shared && imageScale == nil ? "1" : "0",
        "INPUT": source.address, "SEGMENTS": source.transforms,
        "PRODUCTS": products.map { "PRODUCT(\($0.tiles), \($0.strip));" }.joined(separator: "\n    "),
        "EPILOGUE": c.epilogue(op.epilogue, width: node.paddedChannels, adds: y.adds),
      ] + y.holes + c.strides("R", residual.layout) + gathering.holes
    let support =
      gathering.support + [c.transforms(Winograd.of(size: tile.size))] + source.support
      + products.map { product(tiles: $0.tiles, strip: $0.strip, in: c) }
    let (weights, biases, shared) = (c.packedAddress(node.id), biases(of: node, op, in: c), c.workspace(node))
    let count = ChooseTile.ceilDivide(y.blocks, tile.strip)
    return EmitC.Invocation(holes: holes, support: support) { function in
      func call(_ strips: String) -> String {
        "\(function)(\(c.pointers(source.pointers)), \(shared), scratch, \(weights), \(biases), "
          + "\(residual.address), \(y.address), \(strips)\(gathering.argument), thread, threads);\n"
      }
      guard tile.share > 0 else { return call("0, \(count)") }
      let next = trainingWeightPacking(of: node, op, blocks: ("from * \(tile.strip)", "to * \(tile.strip)"), in: c)
      // The first strips have been packed before the call.
      return """
        for (int from = 0, to; from < \(count); from = to) {
            to = from + \(tile.share) < \(count) ? from + \(tile.share) : \(count);
            if (from > 0) {
                BARRIER
                \(next)
                BARRIER
            }
            \(call("from, to"))}

        """
    }
  }

  /// Where tiles come from.
  private struct Source {
    var pointers: [String]
    /// The address of a tile's first input; see the template.
    var address: String
    /// A line for each run of segments.
    var transforms: String
    var support: [EmitC.Support] = []
  }

  private func source(_ node: Node, _ op: Op.Convolution, in c: EmitC) -> Source {
    let segments = node[.input].segments
    let (edge, m, padding) = (tile.edge, tile.size, op.padding)
    guard let imageScale else {
      let lines = segments.map { segment in
        let layout = c.layout(segment.node)
        return "\(ChooseTile.ceilDivide(segment.channels, channelBlock)), \(layout.blockStride), "
          + "\(segment.step * layout.rowStride), \(segment.step * layout.columnStride), \(layout.imageStride)"
      }
      return Source(
        pointers: segments.map { c.address($0, rowsBefore: padding.height, columnsBefore: padding.width) },
        address: "x[s] + image * image_step + b * block_step + row * \(m) * row_step + col * \(m) * pixel_step",
        transforms: c.runs(lines).map { "TRANSFORM(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
      )
    }
    let input = c.graph.input.shape
    let order = segments.map { "\($0.target)" }.joined(separator: "_")
    let gather = segments.flatMap { segment in
      (0..<segment.channels).map {
        "lanes[\(segment.target + $0 * segment.targetStride)] = "
          + "p[\($0) * PLANE + \(segment.rowPhase * input.width + segment.columnPhase)];"
      }
    }
    return Source(
      pointers: ["input"],
      address: "winograd_image_\(edge)_\(order)(x[s], image, row * \(m) - \(padding.height), "
        + "col * \(m) - \(padding.width), (vec[\(edge * edge) * VECTORS]){SPLAT(0.0f)})",
      transforms: "TRANSFORM(0, 1, 1, 0, \(edge) * BLOCK, BLOCK, 0);",
      support: [
        EmitC.Support(
          template: "winograd_image",
          holes: [
            "N": "\(edge)", "ORDER": order, "SCALE": "\(imageScale)", "CHANNELS": "\(input.channels)",
            "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
            "GATHER": gather.joined(separator: "\n            "),
          ])
      ])
  }

  /// The register tile of `tiles` tiles and `strip` blocks of outputs, one statement per accumulator.
  private func product(tiles: Int, strip: Int, in c: EmitC) -> EmitC.Support {
    let vectors = 0..<strip * (channelBlock / c.plan.target.lanes)
    let names = (0..<tiles).map { tile in vectors.map { "a\(tile)_\($0)" } }
    func lines(_ text: [String], _ indent: Int) -> String {
      text.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
    return EmitC.Support(
      template: "winograd_product",
      holes: [
        "TILES": "\(tiles)", "STRIP": "\(strip)",
        "ACCUMULATORS": lines(names.map { "vec " + $0.map { "\($0) = SPLAT(0.0f)" }.joined(separator: ", ") + ";" }, 4),
        "WEIGHTS": lines(vectors.map { "const vec u\($0) = AT(u + \($0) * VL);" }, 12),
        "MULTIPLY": lines(
          names.enumerated().map { tile, names in
            "s = v[\(tile) * BLOCK + lane], "
              + names.enumerated().map { "\($0.element) += s * u\($0.offset)" }.joined(separator: ", ") + ";"
          }, 12),
        "STORE": lines(
          names.enumerated().map { tile, names in
            names.enumerated().map { "PUT(m + (\(tile) * WIDTH + \($0.offset)) * VL, \($0.element));" }.joined(
              separator: " ")
          }, 4),
      ])
  }
}
