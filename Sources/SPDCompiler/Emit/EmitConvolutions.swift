import SPD

extension EmitC {
  /// Statements that turn the sums `v` into what is stored; see the templates for the names in scope.
  func epilogue(_ epilogue: Op.Epilogue, width: Int, adds: Bool = false) -> String {
    var statements = adds ? ["v += AT(to);"] : []
    if epilogue.phaseNorm != nil {
      statements.append("v = v * AT(bias + \(width) + phase) + AT(bias + \(5 * width) + phase);")
    }
    if let activation = epilogue.activation { statements.append(activation.statement) }
    if epilogue.addsResidual { statements.append("v += AT(r + residual);") }
    if let activation = epilogue.finalActivation { statements.append(activation.statement) }
    return statements.joined(separator: " ")
  }

  /// Address and layout of the residual, if there is one.
  func residual(_ node: Node, _ op: Op.Convolution) -> (address: String, layout: TensorLayout?) {
    guard op.epilogue.addsResidual else { return ("NULL", nil) }
    let segment = node.inputs[node.inputs.count - 1].segments[0]
    return (address(segment), layout(segment.node))
  }

  func direct(_ node: Node, _ op: Op.Convolution, _ tile: ConvolutionTile) -> Invocation {
    let y = storeTarget(node)
    let residual = residual(node, op)
    let blocks = y.blocks / op.groups
    let width = blocks * channelBlock
    let segments = node.inputs[0].segments
    let depth = PlanMemory.inputBlocks(node) / op.groups * channelBlock * op.kernel.area
    var holes: [String: String] = [
      "IMAGES": "\(tile.joinsImages ? 1 : node.shape.batch)",
      "OUT_ROWS": "\(tile.joinsImages ? node.shape.batch * node.shape.height : node.shape.height)",
      "OUT_COLS": "\(node.shape.width)", "OUT_BLOCKS": "\(blocks)",
      "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)", "K": "\(depth)",
      "SEGMENTS": accumulations(segments, op), "EPILOGUE": epilogue(op.epilogue, width: width, adds: y.adds),
      "START": start(op.startSegments(node).first, index: segments.count),
    ]
    let gathering = gathering(
      node, op, strip: tile.strip,
      [
        "ADD": "for (int n = 0; n < blocks * VECTORS; n++)\n        add_statistics(gathered, n, sums + n, rows, cols, "
          + "cols * blocks * VECTORS, blocks * VECTORS);\n    gathered->pixels += rows * cols;"
      ],
      slot: "band", channel: "strip * \(tile.strip) * BLOCK",
      vectors: "(LAST > 0 && strip == STRIPS - 1 ? LAST : \(tile.strip)) * VECTORS")
    holes = holes + tileHoles(tile) + y.holes + strides("R", residual.layout) + gathering.holes
    holes["TILE_ROWS"] = "\(tile.rows)"
    holes["UNIT_ROWS"] = "\(tile.unitRows)"
    holes["STREAM"] = tile.streams && !y.adds ? "1" : "0"
    holes["STRIP_MAJOR"] = tile.stripMajor ? "1" : "0"
    holes["ROWS_AHEAD"] = "\(tile.rowsAhead)"
    holes["WEIGHTS_AHEAD"] = "\(tile.weightsAhead)"

    let x =
      segments.map { address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) }
      + op.startSegments(node).map { address($0) }
    let weights = packedAddress(node.id)
    let bias = packedAddress(node.id, plus: depth * width * op.groups)
    guard op.groups > 1 else {
      return Invocation(holes: holes, support: gathering.support) {
        "\($0)(\(self.pointers(x)), \(weights), \(bias), \(residual.address), \(y.address)\(gathering.argument), thread, threads);\n"
      }
    }
    // Each group is the same convolution a few blocks further on.
    let inBlocks = (segments[0].channels / op.groups) / channelBlock * layout(segments[0].node).blockStride
    let outBlocks = blocks * layout(node.id).blockStride
    let biases = width * (op.epilogue.phaseNorm == nil ? 1 : 9)
    let r = residual.layout.map { "\(residual.address) + g * (ptrdiff_t)\(blocks * $0.blockStride)" } ?? "NULL"
    return Invocation(holes: holes) {
      """
      for (int g = 0; g < \(op.groups); g++)
          \($0)(\(self.pointers(["\(x[0]) + g * (ptrdiff_t)\(inBlocks)"])), \(weights) + g * (ptrdiff_t)\(depth * width), \
      \(bias) + g * (ptrdiff_t)\(biases), \(r), \(y.address) + g * (ptrdiff_t)\(outBlocks), thread, threads);

      """
    }
  }

  /// The vector from which the sums of one pixel of a tile start: the bias, or that pixel of the tensor x[index].
  private func start(_ segment: Segment?, index: Int) -> String {
    guard let segment else { return "AT(bias + block * BLOCK + n * VL)" }
    let (layout, f) = (layout(segment.node), segment.upsampling)
    return "AT(x[\(index)] + image * (ptrdiff_t)\(layout.imageStride) + (row / \(f) + i / cols / \(f)) * "
      + "(ptrdiff_t)\(layout.rowStride) + (block + n / VECTORS) * (ptrdiff_t)\(layout.blockStride) + "
      + "(col / \(f) + i % cols / \(f)) * BLOCK + n % VECTORS * VL)"
  }

  private func tileHoles(_ tile: ConvolutionTile) -> [String: String] {
    ["STRIP": "\(tile.strip)", "TILE_COLS": "\(tile.columns)"]
  }

  /// One line per run of segments that differ only in where they begin.
  func accumulations(_ segments: [Segment], _ op: Op.Convolution, named name: String = "ACCUMULATE") -> String {
    let lines = segments.map { segment in
      let layout = layout(segment.node)
      let blocks = (segment.channels + channelBlock - 1) / channelBlock / op.groups
      let row = segment.step * layout.rowStride
      let column = segment.step * layout.columnStride
      return "\(blocks), \(layout.blockStride), \(row * op.dilation.height), \(column * op.dilation.width), "
        + "\(row * op.stride.height), \(column * op.stride.width), \(layout.imageStride), \(segment.upsampling)"
    }
    return runs(lines).map { "\(name)(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
  }

  /// Runs of equal lines: where each begins and how long it is.
  func runs(_ lines: [String]) -> [(first: Int, count: Int, line: String)] {
    var result: [(first: Int, count: Int, line: String)] = []
    for (index, line) in lines.enumerated() {
      if result.last?.line == line {
        result[result.count - 1].count += 1
      } else {
        result.append((index, 1, line))
      }
    }
    return result
  }

  func image(_ node: Node, _ op: Op.Convolution, _ tile: ConvolutionTile, scale: Int) -> Invocation {
    let y = layout(node.id)
    let residual = residual(node, op)
    let input = graph.input.shape
    let width = y.blocks * channelBlock
    // Through a space-to-depth of scale s, a kernel k with stride t and padding p is one of s·k, s·t and s·p.
    let kernel = Size2D(op.kernel.height * scale, op.kernel.width * scale)
    let holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "KH": "\(kernel.height)", "KW": "\(kernel.width)",
        "CHANNELS": "\(input.channels)", "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
        "STRIDE": "\(op.stride.width * scale)", "PAD_TOP": "\(op.padding.height * scale)",
        "PAD_LEFT": "\(op.padding.width * scale)", "EPILOGUE": epilogue(op.epilogue, width: width),
      ] + tileHoles(tile) + strides("Y", y) + strides("R", residual.layout)
    let weights = packedAddress(node.id)
    let bias = packedAddress(node.id, plus: kernel.area * input.channels * width)
    return Invocation(holes: holes) {
      "\($0)(input, scratch, \(weights), \(bias), \(residual.address), \(self.address(node.id)), thread, threads);\n"
    }
  }

  func grouped(_ node: Node, _ op: Op.Convolution, depthwise: Bool) -> Invocation {
    let y = layout(node.id)
    let residual = residual(node, op)
    let segment = node.inputs[0].segments[0]
    let x = layout(segment.node)
    let width = y.blocks * channelBlock
    var holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)",
        "X_IMAGE": "\(x.imageStride)", "X_BLOCK": "\(x.blockStride)", "TAP_ROW": "\(x.rowStride * op.dilation.height)",
        "TAP_COL": "\(x.columnStride * op.dilation.width)", "ROW_STEP": "\(x.rowStride * op.stride.height)",
        "PIXEL_STEP": "\(x.columnStride * op.stride.width)", "EPILOGUE": epilogue(op.epilogue, width: width),
      ] + strides("Y", y) + strides("R", residual.layout)
    let inputs = segment.channels / op.groups
    var weightCount = width * op.kernel.area
    if !depthwise {
      holes["INPUTS"] = "\(segment.channels)"
      holes["OUTPUTS"] = "\(op.outputs)"
      holes["GROUPS"] = "\(op.groups)"
      weightCount = PlanMemory.roundUp(op.outputs * inputs * op.kernel.area)
    }
    let from = address(segment, rowsBefore: op.padding.height, columnsBefore: op.padding.width)
    return Invocation(holes: holes) {
      "\($0)(\(self.pointers([from])), \(self.packedAddress(node.id)), "
        + "\(self.packedAddress(node.id, plus: weightCount)), \(residual.address), \(self.address(node.id)), thread, threads);\n"
    }
  }
}

extension Op.Activation {
  /// Applies it to the vector `v`; the functions are the prelude's.
  var statement: String {
    switch self {
    case .relu: "relu(&v);"
    case .leakyReLU(let slope): "leaky_relu(&v, (float)\(slope));"
    case .silu: "silu(&v);"
    case .sigmoid: "sigmoid(&v);"
    case .hardswish: "hard_swish(&v);"
    }
  }
}
