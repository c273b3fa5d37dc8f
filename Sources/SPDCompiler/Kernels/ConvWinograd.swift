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

  func weightPacking(
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, in c: EmitC
  ) -> EmitC.PackingStatements {
    let inputs = op.totalInputChannels ?? c.graph.shape(of: node[.input]).channels
    let segments = node[.input].segments
    // An image's channels and phases lie in the weights' order.
    let isImage = imageScale != nil
    let (views, count) = isImage ? ("(const input_view[]){{\(inputs), 0, 1}}", 1) : (c.views(segments), segments.count)
    return EmitC.PackingStatements(
      "pack_winograd",
      "pack_winograd(\(c.packedAddress(node.id)), \(node.paddedChannels / channelBlock), \(tile.strip), "
        + "\(inputBlocks(node) * channelBlock), \(views), \(count), \(tile.edge), winograd\(tile.size)_g, \(inputs), "
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
      + "\(c.value(op.parts[0].weight)), \(c.taps(op)), \(tile.edge), winograd\(tile.size)_g, thread, threads);\n"
  }

  // MARK: - C

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let y = c.storeTarget(node)
    if c.gathersStatistics { c.instances.require("statistics") }
    c.instances.require("convolution")
    c.instances.require("winograd", c.blockHoles + c.gatheredField)
    let winograd = Winograd.of(size: tile.size)
    c.instances.require("winograd_transforms", c.transforms(winograd).holes)
    // Packed once it is rounded once.
    c.instances.require(
      "winograd_kernel",
      [
        "M": "\(tile.size)", "TYPE": c.plan.mode == .training ? "float" : "double",
        "VALUES": winograd.kernelTransform.map { $0.map { "\($0)" }.joined(separator: ", ") }.joined(separator: ", "),
      ])
    Self.requireProducts(in: c)
    let source = source(node, op, in: c)
    let function = c.instances.function(
      template,
      c.gatheringHoles(
        op, tile: "g", slot: "i * ((c->tiles + c->group - 1) / c->group) + group", channel: "block * BLOCK",
        vectors: "width * VECTORS") + ["CHUNK": "\(mostGroups(in: c))"],
      named: op.epilogue.stages.gathersStatistics ? "conv_winograd_gathering" : template)
    let streams = tile.streams && !y.adds
    let shape = c.layer(
      "winograd", node,
      [
        [
          ("images", "\(node.shape.batch)"), ("rows", "\(node.shape.height)"), ("cols", "\(node.shape.width)"),
          ("blocks", "\(y.blocks)"), ("in_blocks", "\(inputBlocks(node))"), ("w", c.name("W", node.id)),
          ("bias", c.name("B", node.id)),
        ],
        [("x", source.lines), ("sources", "\(source.count)")],
        [("y", y.place)]
          + (node.operand(.summand).map { [("r", c.placeText($0.segments[0]))] } ?? []) + c.blockField(y),
        [
          ("m", "\(tile.size)"), ("strip", "\(tile.strip)"), ("tiles", "\(tile.tiles)"), ("group", "\(tile.group)"),
          ("chunk", "\(tile.chunk)"), ("v_plane", "\(tile.inputPlane(node.shape, inputBlocks: inputBlocks(node)))"),
          ("m_plane", "\(tile.productPlane(node.shape))"), ("shared", tile.shared ? "1" : "0"),
        ] + (tile.shared ? [("v", c.name("S", node.id))] : []),
        [
          ("fetches", !tile.shared && imageScale == nil ? "1" : "0"), ("streams", streams ? "1" : "0"),
          ("read", source.function),
          ("write", write(node, op, streams: streams, adds: y.adds, in: c)),
        ],
      ])
    let slots = c.slots(node, op, strip: tile.strip)
    let count = ChooseTile.ceilDivide(y.blocks, tile.strip)
    return EmitC.Invocation(layer: shape) {
      func call(_ strips: String) -> String {
        "\(function)(&\(c.name("C", node.id)), \(source.base), \(c.packedBase), arena, scratch\(slots), \(strips), thread, threads);\n"
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

  /// The most groups of tiles in a chunk of any such convolution of the module.
  private func mostGroups(in c: EmitC) -> Int {
    c.plan.steps.compactMap { ($0.kernel.module as? Self)?.tile.chunk }.max() ?? 0
  }

  /// Where tiles come from.
  private struct Source {
    /// The address that places are counted from.
    var base: String
    /// Constants of the C, and how many.
    var lines: String
    var count: Int
    /// What transforms them.
    var function: String
  }

  private func source(_ node: Node, _ op: Op.Convolution, in c: EmitC) -> Source {
    let (m, segments) = (tile.size, node[.input].segments)
    guard let imageScale else {
      let steps = Set(segments.map { $0.step * c.layout($0.node).columnStride })
      let step = steps.count == 1 ? steps.first! : nil
      let function = c.instances.function(
        "winograd_read",
        [
          "M": "\(m)", "TEXT": "",
          "CORNER": "const float *corner = x + s->at[b / s->blocks] + b % s->blocks * s->block;",
          "INPUT": "corner + image * s->image + row * \(m) * line + col * \(m) * pixel",
          "PIXEL": step.map { $0 == channelBlock ? "BLOCK" : "\($0)" } ?? "s->col",
        ], named: "winograd\(m)_read" + (step == channelBlock ? "" : step.map { "_step\($0)" } ?? "_steps"))
      let sources = c.sources(node, op)
      return Source(base: "arena", lines: c.text(sources), count: sources.count, function: function)
    }
    let input = c.graph.input.shape
    let gather = segments.flatMap { segment in
      (0..<segment.channels).map {
        "lanes[\(segment.target + $0 * segment.targetStride)] = "
          + "p[\($0) * PLANE + \(segment.rowPhase * input.width + segment.columnPhase)];"
      }
    }
    let image = c.instances.function(
      "winograd_image",
      [
        "N": "\(tile.edge)", "SCALE": "\(imageScale)", "CHANNELS": "\(input.channels)", "IN_ROWS": "\(input.height)",
        "IN_COLS": "\(input.width)", "GATHER": gather.joined(separator: "\n            "),
      ], named: "winograd\(m)_image")
    let function = c.instances.function(
      "winograd_read",
      [
        "M": "\(m)", "TEXT": " that lie in the caller's image",
        "INPUT": "\(image)(x, image, row * \(m) - \(op.padding.height), col * \(m) - \(op.padding.width), "
          + "(vec[\(tile.edge * tile.edge) * VECTORS]){SPLAT(0.0f)})",
        "PIXEL": "BLOCK", "CORNER": "",
      ], named: "winograd\(m)_read_image")
    // One view of one block: the tile that has been gathered.
    let lines = "(const source[]){{.at = (const ptrdiff_t[]){0}, .count = 1, .blocks = 1, .row = \(tile.edge) * BLOCK}}"
    return Source(base: "input", lines: lines, count: 1, function: function)
  }

  private func write(_ node: Node, _ op: Op.Convolution, streams: Bool, adds: Bool, in c: EmitC) -> String {
    let epilogue = c.epilogue(
      op.epilogue, adds: adds,
      in: EpilogueText.Scope(
        biases: "g->bias", width: "c->blocks * BLOCK", block: "block", row: "(top + i)", column: "(left + j)",
        residualLine: "g->arena + c->r.at + image * c->r.image + top * c->r.row + block * c->r.block + left * c->r.col",
        residual: "i * c->r.row + j * BLOCK + n * VL"))
    let gathers = op.epilogue.stages.gathersStatistics
    let gathering =
      gathers
      ? [
        "KEEP": "sums[i * \(tile.size) + j] = v;",
        "ADD": "add_statistics(g->gathered, b * VECTORS + n, sums, end_row, end_col, \(tile.size), 1);",
      ] : ["KEEP": "", "ADD": ""]
    let name = "winograd\(tile.size)_write_\(epilogue.name)" + (gathers ? "_gather" : "") + (streams ? "_stream" : "")
    return c.instances.function(
      "winograd_write",
      epilogue.holes + gathering + [
        "M": "\(tile.size)", "STORE": streams ? "STREAM" : "PUT", "STORES": streams ? "0" : "1",
        "ADDS": op.epilogue.stages.addsSummand ? "1" : "0",
        "TEXT": "Epilogue: \(epilogue.description)\(streams ? "; stores past the caches" : "").",
      ], named: name)
  }

  /// The register tiles of all such convolutions of a module, and the function that picks one.
  private static func requireProducts(in c: EmitC) {
    struct Size: Hashable { var tiles, strip: Int }
    var sizes: Set<Size> = []
    for step in c.plan.steps {
      guard let kernel = step.kernel.module as? ConvWinogradKernel else { continue }
      let node = c.node(of: step)
      let (blocks, strip) = (ChooseTile.ceilDivide(node.shape.channels, channelBlock), kernel.tile.strip)
      // The last strip may be narrower.
      for width in [min(strip, blocks), blocks % strip] where width > 0 {
        sizes.formUnion(kernel.tile.groupSizes(node.shape).map { Size(tiles: $0, strip: width) })
      }
    }
    let cases = sizes.sorted { ($0.strip, $0.tiles) < ($1.strip, $1.tiles) }.map { size in
      let name = c.instances.function(
        "winograd_product", product(tiles: size.tiles, strip: size.strip, in: c),
        named: "winograd_product_\(size.tiles)x\(size.strip)")
      return "case \(size.tiles) * 64 + \(size.strip): return \(name);"
    }
    c.instances.require("winograd_products", ["PRODUCTS": cases.joined(separator: "\n    ")])
  }

  /// The register tile of `tiles` tiles and `strip` blocks of outputs, one statement per accumulator.
  private static func product(tiles: Int, strip: Int, in c: EmitC) -> [String: String] {
    let vectors = 0..<strip * (channelBlock / c.plan.target.lanes)
    let names = (0..<tiles).map { tile in vectors.map { "a\(tile)_\($0)" } }
    func lines(_ text: [String], _ indent: Int) -> String {
      text.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
    return [
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
    ]
  }
}
