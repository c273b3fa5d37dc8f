import SPD

extension EmitC {
  func weightGradient(_ node: Node, _ op: Op.Convolution, _ kernel: Kernel) -> Invocation {
    switch kernel {
    case .weightGradient(let tile): direct(node, op, tile)
    case .weightGradientWinograd(let tile): winograd(node, op, tile)
    case .weightGradientPicture(let scale, let chunks): picture(node, op, scale: scale, chunks: chunks)
    default: preconditionFailure("\(kernel) computes no gradient of a weight")
    }
  }

  private func direct(_ node: Node, _ op: Op.Convolution, _ tile: WeightGradientTile) -> Invocation {
    let packed = tile.packedColumns > 0 ? packedPixels(node, op, tile) : nil
    let holes =
      common(node, op).merging(packed?.holes ?? [:]) { $1 } + [
        "SEGMENTS": packed?.segments ?? accumulations(node.inputs[0].segments, op), "KH": "\(op.kernel.height)",
        "KW": "\(op.kernel.width)",
        "TILE": "\(tile.inputs)", "STRIP": "\(tile.vectors)",
        "BAND": "\(tile.rows)", "GROUP": "\(tile.group)", "ACROSS": "\(tile.across)", "CHUNKS": "\(tile.chunks)",
        "FETCH": tile.fetches ? "1" : "0", "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ]
    let sums = workspace(node) + (packed.map { " + \($0.count)" } ?? "")
    return Invocation(holes: holes, support: packed.map { [gradients, $0.support] } ?? [gradients]) {
      (packed?.statements ?? "")
        + "\($0)(\(packed?.sources ?? self.sources(node, op)), "
        + "\(packed?.gradient ?? self.address(node.inputs[1].segments[0])), "
        + "(float *const[]){\(self.gradient(op.parts[0].weight))}, "
        + "(float *const[]){\(op.parts[0].bias.map(self.gradient) ?? "NULL")}, \(sums), scratch, part, parts);\n"
    }
  }

  /// How the kernel reads inputs and gradient whose pixels are packed side by side first.
  private struct PackedPixels {
    var statements = ""
    var holes: [String: String]
    var segments: String
    var sources = ""
    var gradient = ""
    /// Floats in front of the sums.
    var count: Int
    let support = Support(template: "pack_pixels", holes: [:])
  }

  private func packedPixels(_ node: Node, _ op: Op.Convolution, _ tile: WeightGradientTile) -> PackedPixels {
    let gradient = graph.shape(of: node.inputs[1])
    let shape = WeightGradientTile.packed(gradient, columns: tile.packedColumns)
    let block = WeightGradientTile.packedBlock(shape.size.area)
    let row = shape.width * channelBlock
    let segments = node.inputs[0].segments
    let lines = segments.map {
      "\(ChooseTile.ceilDivide($0.channels, channelBlock)), \(block), 0, 0, \(row), \(channelBlock), 0, 1"
    }
    var packed = PackedPixels(
      holes: [
        "IMAGES": "1", "OUT_ROWS": "\(shape.height)", "OUT_COLS": "\(shape.width)", "DY_IMAGE": "0", "DY_ROW": "\(row)",
        "DY_BLOCK": "\(block)",
      ],
      segments: runs(lines).map { "ACCUMULATE(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    "),
      count: PlanMemory.packedPixelCount(node, op, tile, in: graph))
    var offset = 0
    func pack(_ segment: Segment, stride: Int) -> String {
      let layout = layout(segment.node)
      let blocks = ChooseTile.ceilDivide(segment.channels, channelBlock)
      let to = "\(workspace(node)) + \(offset)"
      packed.statements +=
        "pack_pixels(\(address(segment)), \(to), \(gradient.batch), \(gradient.height), \(gradient.width), \(blocks), "
        + "\(layout.imageStride), \(stride * segment.step * layout.rowStride), \(layout.blockStride), "
        + "\(stride * segment.step * layout.columnStride), \(block), part, parts);\n"
      offset += blocks * block
      return to
    }
    packed.sources = pointers(segments.map { pack($0, stride: op.stride.width) })
    packed.gradient = pack(node.inputs[1].segments[0], stride: 1)
    packed.statements += "BARRIER\n"
    return packed
  }

  private func winograd(_ node: Node, _ op: Op.Convolution, _ tile: WinogradGradientTile) -> Invocation {
    let winograd = Winograd.of(size: tile.size)
    let lines = node.inputs[0].segments.map { segment in
      let layout = layout(segment.node)
      return "\(ChooseTile.ceilDivide(segment.channels, channelBlock)), \(layout.blockStride), "
        + "\(segment.step * layout.rowStride), \(segment.step * layout.columnStride), \(layout.imageStride)"
    }
    let segments = runs(lines).map { "TRANSFORM(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
    let holes =
      common(node, op) + [
        "SEGMENTS": segments, "M": "\(tile.size)", "TILE": "\(tile.inputs)", "STRIP": "\(tile.vectors)",
        "TILES": "\(tile.tiles)", "GROUP": "\(tile.group)",
        "V_PLANE": "\(tile.plane(blocks: PlanMemory.inputBlocks(node)))",
        "D_PLANE": "\(tile.plane(blocks: ChooseTile.ceilDivide(op.outputs, channelBlock)))",
      ]
    let transforms = Support(
      template: "winograd_gradients",
      holes: [
        "M": "\(winograd.size)", "N": "\(winograd.edge)",
        "GRADIENT": winograd.gradientStatements.joined(separator: "\n    "),
        "KERNEL": winograd.kernelStatements.joined(separator: "\n    "),
      ])
    return Invocation(holes: holes, support: [gradients, self.transforms(winograd), transforms]) {
      "\($0)(\(self.sources(node, op)), \(self.address(node.inputs[1].segments[0])), "
        + "(float *const[]){\(self.gradient(op.parts[0].weight))}, \(self.workspace(node)), scratch, part, parts);\n"
    }
  }

  private func picture(_ node: Node, _ op: Op.Convolution, scale: Int, chunks: Int) -> Invocation {
    let gradient = node.inputs[1].segments[0]
    let shape = graph.shape(of: node.inputs[1])
    let picture = graph.input.shape
    // Behind a space-to-depth of scale s, a kernel k with stride t and padding p is one of s·k, s·t and s·p.
    let kernel = Size2D(op.kernel.height * scale, op.kernel.width * scale)
    var places: [Int] = []
    for row in 0..<kernel.height {
      for column in 0..<kernel.width {
        let phase = node.inputs[0].segments.first {
          $0.rowPhase == row % scale && $0.columnPhase == column % scale
        }!
        for channel in 0..<picture.channels {
          let input = phase.target + channel * phase.targetStride
          places.append((input * op.kernel.height + row / scale) * op.kernel.width + column / scale)
        }
      }
    }
    let holes: [String: String] =
      [
        "IMAGES": "\(shape.batch)", "OUT_ROWS": "\(shape.height)", "OUT_COLS": "\(shape.width)",
        "OUT_BLOCKS": "\(ChooseTile.ceilDivide(op.outputs, channelBlock))", "OUTPUTS": "\(op.outputs)",
        "CHANNELS": "\(picture.channels)", "IN_ROWS": "\(picture.height)", "IN_COLS": "\(picture.width)",
        "KW": "\(kernel.width)", "STRIDE": "\(op.stride.width * scale)",
        "PAD_TOP": "\(op.padding.height * scale)", "PAD_LEFT": "\(op.padding.width * scale)",
        "TAPS": "\(places.count)", "PLACES": places.map(String.init).joined(separator: ", "),
        "CHUNKS": "\(chunks)", "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ] + strides("G", layout(gradient.node))
    return Invocation(holes: holes) {
      "\($0)(input, \(self.address(gradient)), \(self.gradient(op.parts[0].weight)), "
        + "\(op.parts[0].bias.map(self.gradient) ?? "NULL"), \(self.workspace(node)), part, parts);\n"
    }
  }
  // MARK: - what both have

  private var gradients: Support { Support(template: "gradients", holes: [:]) }

  private func common(_ node: Node, _ op: Op.Convolution) -> [String: String] {
    let shape = graph.shape(of: node.inputs[1])
    let segments = node.inputs[0].segments
    func list(_ value: (Segment) -> Int) -> String { segments.map { "\(value($0))" }.joined(separator: ", ") }
    return [
      "IMAGES": "\(shape.batch)", "OUT_ROWS": "\(shape.height)", "OUT_COLS": "\(shape.width)",
      "OUT_BLOCKS": "\(ChooseTile.ceilDivide(op.outputs, channelBlock))", "OUTPUTS": "\(op.outputs)",
      "INPUTS": "\(graph.shape(of: node.inputs[0]).channels)", "IN_BLOCKS": "\(PlanMemory.inputBlocks(node))",
      "STARTS": "0", "ADD": "0", "CHANNELS": list(\.channels), "TARGETS": list(\.target),
      "TARGET_STRIDES": list(\.targetStride),
    ] + strides("DY", layout(node.inputs[1].segments[0].node))
  }

  private func sources(_ node: Node, _ op: Op.Convolution) -> String {
    pointers(
      node.inputs[0].segments.map { address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) })
  }
}
