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
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, in c: EmitC
  ) -> EmitC.PackingStatements {
    let segments = node[.input].segments
    let inputs = op.totalInputChannels ?? c.graph.shape(of: node[.input]).channels
    let weight = c.tensor(part.weight)
    guard op.groups > 1 else {
      return EmitC.PackingStatements(
        "pack_direct",
        "pack_direct(\(c.packedAddress(node.id)), \(node.paddedChannels / channelBlock), \(tile.strip), \(depth(node, op)), "
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
      "pack_direct(\(c.packedAddress(node.id)) + \(group * depth * outputs), \(outputs / channelBlock), \(tile.strip), \(depth), "
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
    let perGroup = y.blocks / op.groups
    let (segments, sources) = (node[.input].segments, c.sources(node, op))
    if c.gathersStatistics { c.instances.require("statistics") }
    c.instances.require("convolution")
    c.instances.require("multiply")
    c.instances.require("direct", c.blockHoles + c.gatheredField + mostHoles(in: c))
    let function = c.instances.function(
      template,
      c.gatheringHoles(
        op, tile: "t", slot: "band", channel: "first * BLOCK",
        vectors: "(narrow ? c->blocks - first : c->strip) * VECTORS"),
      named: op.epilogue.stages.gathersStatistics ? "conv_direct_gathering" : template)
    let streams = tile.streams && !y.adds
    let height = tile.joinsImages ? node.shape.batch * node.shape.height : node.shape.height
    let shape = c.layer(
      "direct", node,
      [
        [
          ("images", "\(tile.joinsImages ? 1 : node.shape.batch)"), ("rows", "\(height)"),
          ("cols", "\(node.shape.width)"),
          ("blocks", "\(perGroup)"), ("kh", "\(op.kernel.height)"), ("groups", "\(op.groups)"),
          ("depth", "\(depth(node, op))"),
          ("w", c.name("W", node.id)), ("bias", c.name("B", node.id)),
        ],
        [("x", c.text(sources)), ("sources", "\(sources.count)")]
          + (op.groups > 1 ? [("x_group", "\(groupStep(segments[0], op, in: c))")] : []),
        [("y", y.place)] + (node.operand(.summand).map { [("r", c.placeText($0.segments[0]))] } ?? [])
          + (node.startSegments.first.map { [("start", c.placeText($0))] } ?? []) + c.blockField(y),
        [
          ("strip", "\(tile.strip)"), ("tile_rows", "\(tile.rows)"), ("tile_cols", "\(tile.columns)"),
          ("unit_rows", "\(tile.unitRows)"), ("strip_major", tile.stripMajor ? "1" : "0"),
          ("rows_ahead", "\(tile.rowsAhead)"),
          ("streams", streams ? "1" : "0"),
        ],
        [
          ("tile", tiles(node, op, height: height, blocks: perGroup, in: c)),
          ("finish", finish(node, op, streams: streams, adds: y.adds, in: c)),
        ],
      ])
    let weights = c.packedBase
    let slots = c.slots(node, op, strip: tile.strip)
    return EmitC.Invocation(layer: shape) {
      "\(function)(&\(c.name("C", node.id)), \(weights), arena\(slots), thread, threads);\n"
    }
  }

  /// The most views that any such convolution of the module reads, and vectors of its tiles.
  private func mostHoles(in c: EmitC) -> [String: String] {
    let steps = c.plan.steps.compactMap { step in (step.kernel.module as? Self).map { (c.node(of: step), $0.tile) } }
    let tile = steps.map { $1.rows * $1.columns * $1.strip }.max() ?? 0
    return [
      "VIEWS": "\(steps.map { $0.0[.input].segments.count }.max() ?? 0)",
      "TILE": "\(tile * (channelBlock / c.plan.target.lanes))",
    ]
  }

  /// From the inputs of one group to those of the next.
  private func groupStep(_ segment: Segment, _ op: Op.Convolution, in c: EmitC) -> Int {
    segment.channels / op.groups / channelBlock * c.layout(segment.node).blockStride
  }

  /// The functions of whole, last and lowest tiles, for whole strips and the last if it is narrower.
  private func tiles(_ node: Node, _ op: Op.Convolution, height: Int, blocks: Int, in c: EmitC) -> String {
    let width = node.shape.width
    let sizes = [(tile.rows, tile.columns), (tile.rows, width % tile.columns), (height % tile.rows, tile.columns)]
    let strips = [min(blocks, tile.strip), blocks % tile.strip].filter { $0 > 0 }
    let rows = strips.map { strip in
      let names = sizes.map { rows, columns in
        rows * columns == 0 ? "NULL" : self.tile(node, op, rows: rows, columns: columns, strip: strip, in: c)
      }
      let last = names.lastIndex { $0 != "NULL" }!
      return "{" + names[...last].joined(separator: ", ") + "}"
    }
    return "{" + rows.joined(separator: ", ") + "}"
  }

  private func tile(_ node: Node, _ op: Op.Convolution, rows: Int, columns: Int, strip: Int, in c: EmitC) -> String {
    let started = node.startSegments.first?.upsampling ?? 0
    let (sources, taps) = (c.sources(node, op), "\(op.kernel.height), \(op.kernel.width)")
    let runs = c.runs(sources.flatMap { Array(repeating: "\($0.pixel), \($0.repeated)", count: $0.origins.count) })
    var (name, text) = ("direct_\(rows)x\(columns)x\(strip)", "\(op.kernel.height) x \(op.kernel.width) taps")
    if op.kernel.area > 1 { name += "_\(op.kernel.height)x\(op.kernel.width)" }
    if runs.count > 1 {
      (name, text) = (name + "_mixed", text + ", views with different steps")
    } else {
      let (pixel, repeated) = (sources[0].pixel, sources[0].repeated)
      if pixel != channelBlock { (name, text) = (name + "_step\(pixel)", text + ", pixels \(pixel) floats apart") }
      if repeated > 1 {
        (name, text) = (name + "_up\(repeated)", text + ", each input for \(repeated) x \(repeated) pixels")
      }
    }
    if started > 0 { (name, text) = (name + "_started", text + ", on top of another's sums") }
    let size = ["ROWS": "\(rows)", "COLS": "\(columns)", "STRIP": "\(strip)", "TEXT": text]
    guard runs.count > 1 else {
      return c.instances.function(
        "direct_tile", size + ["LITERALS": "\(taps), \(runs[0].line), \(tile.weightsAhead), \(started)"], named: name)
    }
    let lines = runs.map { run in
      let end = run.first + run.count == node[.input].segments.count ? "t->views" : "\(run.first + run.count)"
      return
        "w = direct_add(t, col, acc, ROWS, COLS, BLOCKS, w, &turn, \(run.first), \(end), \(taps), \(run.line), \(tile.weightsAhead));"
    }
    // Nothing is read after the last.
    let last = String(lines.last!.dropFirst("w = ".count))
    return c.instances.function(
      "direct_tile_mixed",
      size + ["STARTED": "\(started)", "SEGMENTS": (lines.dropLast() + [last]).joined(separator: "\n        ")],
      named: name)
  }

  private func finish(_ node: Node, _ op: Op.Convolution, streams: Bool, adds: Bool, in c: EmitC) -> String {
    let epilogue = c.epilogue(
      op.epilogue, adds: adds,
      in: EpilogueText.Scope(
        biases: "t->bias", width: "c->groups * c->blocks * BLOCK", block: "block", row: "row", column: "(t->col + j)",
        residualLine:
          "t->arena + c->r.at + t->image * c->r.image + row * c->r.row + block * c->r.block + t->col * c->r.col",
        residual: "j * BLOCK + n * VL"))
    let gathers = op.epilogue.stages.gathersStatistics
    let gather =
      "for (int n = 0; n < VECTORS; n++)\n            "
      + "add_statistics(t->gathered, (block - t->block) * VECTORS + n, sums + n, 1, sizes.cols, 0, sizes.step);"
    let name = "direct_finish_\(epilogue.name)" + (gathers ? "_gather" : "") + (streams ? "_stream" : "")
    return c.instances.function(
      "direct_finish",
      epilogue.holes + [
        "TEXT": "Epilogue: \(epilogue.description)\(streams ? "; stores past the caches" : "").",
        "GATHER": gathers ? gather : "", "STORE": streams ? "STREAM" : "PUT",
      ], named: name)
  }
}
