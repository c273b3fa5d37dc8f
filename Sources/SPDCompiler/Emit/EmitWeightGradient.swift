import SPD

extension EmitC {
  func weightGradient(_ node: Node, _ op: Op.Convolution, _ kernel: Kernel) -> Invocation {
    switch kernel {
    case .weightGradient(let tile): direct(node, op, tile)
    case .weightGradient1x1(let tile): pointwise(node, op, tile)
    case .weightGradientWinograd(let tile): winograd(node, op, tile)
    case .weightGradientImage(let scale, let chunks): image(node, op, scale: scale, chunks: chunks)
    default: preconditionFailure("\(kernel) computes no gradient of a weight")
    }
  }

  private func direct(_ node: Node, _ op: Op.Convolution, _ tile: WeightGradientTile) -> Invocation {
    let holes =
      common(node, op) + [
        "SEGMENTS": accumulations(node.inputs[0].segments, op), "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)",
        "TILE": "\(tile.inputs)", "STRIP": "\(tile.vectors)",
        "BAND": "\(tile.rows)", "GROUP": "\(tile.group)", "ACROSS": "\(tile.across)", "CHUNKS": "\(tile.chunks)",
        "FETCH": tile.fetches ? "1" : "0", "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ]
    return Invocation(holes: holes, support: [gradients]) {
      "\($0)(\(self.arguments(node, op)), \(self.workspace(node)), scratch, thread, threads);\n"
    }
  }

  private func pointwise(_ node: Node, _ op: Op.Convolution, _ tile: WeightGradient1x1Tile) -> Invocation {
    let holes =
      common(node, op) + [
        "SEGMENTS": passes("PACK", over: node.inputs[0].segments, stride: op.stride), "TILE": "\(tile.inputs)",
        "STRIP": "\(tile.vectors)", "PANEL": "\(tile.panel)", "ACROSS": "\(tile.across)", "TURNS": "\(tile.turns)",
        "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ]
    return Invocation(holes: holes, support: [gradients]) {
      "\($0)(\(self.arguments(node, op)), scratch, thread, threads);\n"
    }
  }

  /// Inputs, gradient of the result, gradients of weights and biases.
  private func arguments(_ node: Node, _ op: Op.Convolution) -> String {
    "\(sources(node, op)), \(address(node.inputs[1].segments[0])), (float *const[]){\(gradient(op.parts[0].weight))}, "
      + "(float *const[]){\(op.parts[0].bias.map(gradient) ?? "NULL")}"
  }

  private func winograd(_ node: Node, _ op: Op.Convolution, _ tile: WinogradGradientTile) -> Invocation {
    let winograd = Winograd.of(size: tile.size)
    let holes =
      common(node, op) + [
        "SEGMENTS": passes("TRANSFORM", over: node.inputs[0].segments), "M": "\(tile.size)", "TILE": "\(tile.inputs)",
        "STRIP": "\(tile.vectors)",
        "TILES": "\(tile.tiles)", "GROUP": "\(tile.group)", "SHARE": "\(tile.share)",
        "V_PLANE": "\(tile.plane(blocks: tile.share))",
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
        + "(float *const[]){\(self.gradient(op.parts[0].weight))}, \(self.workspace(node)), scratch, thread, threads);\n"
    }
  }

  private func image(_ node: Node, _ op: Op.Convolution, scale: Int, chunks: Int) -> Invocation {
    let gradient = node.inputs[1].segments[0]
    let shape = graph.shape(of: node.inputs[1])
    let image = graph.input.shape
    // Through a space-to-depth of scale s, a kernel k with stride t and padding p is one of s·k, s·t and s·p.
    let kernel = Size2D(op.kernel.height * scale, op.kernel.width * scale)
    var places: [Int] = []
    for row in 0..<kernel.height {
      for column in 0..<kernel.width {
        let phase = node.inputs[0].segments.first {
          $0.rowPhase == row % scale && $0.columnPhase == column % scale
        }!
        for channel in 0..<image.channels {
          let input = phase.target + channel * phase.targetStride
          places.append((input * op.kernel.height + row / scale) * op.kernel.width + column / scale)
        }
      }
    }
    let holes: [String: String] =
      [
        "IMAGES": "\(shape.batch)", "OUT_ROWS": "\(shape.height)", "OUT_COLS": "\(shape.width)",
        "OUT_BLOCKS": "\(ChooseTile.ceilDivide(op.outputs, channelBlock))", "OUTPUTS": "\(op.outputs)",
        "CHANNELS": "\(image.channels)", "IN_ROWS": "\(image.height)", "IN_COLS": "\(image.width)",
        "KW": "\(kernel.width)", "STRIDE": "\(op.stride.width * scale)",
        "PAD_TOP": "\(op.padding.height * scale)", "PAD_LEFT": "\(op.padding.width * scale)",
        "TAPS": "\(places.count)", "PLACES": places.map(String.init).joined(separator: ", "),
        "CHUNKS": "\(chunks)", "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ] + strides("G", layout(gradient.node))
    return Invocation(holes: holes) {
      "\($0)(input, \(self.address(gradient)), \(self.gradient(op.parts[0].weight)), "
        + "\(op.parts[0].bias.map(self.gradient) ?? "NULL"), \(self.workspace(node)), thread, threads);\n"
    }
  }

  // MARK: - what they have in common

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

  /// A line for each run of segments that differ only in where they begin: blocks, and steps from block to block, output row to
  /// output row, output column to output column and image to image.
  private func passes(_ name: String, over segments: [Segment], stride: Size2D = 1) -> String {
    let lines = segments.map { segment in
      let layout = layout(segment.node)
      return "\(ChooseTile.ceilDivide(segment.channels, channelBlock)), \(layout.blockStride), "
        + "\(stride.height * segment.step * layout.rowStride), \(stride.width * segment.step * layout.columnStride), "
        + "\(layout.imageStride)"
    }
    return runs(lines).map { "\(name)(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    ")
  }

  private func sources(_ node: Node, _ op: Op.Convolution) -> String {
    pointers(
      node.inputs[0].segments.map { address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) })
  }
}
