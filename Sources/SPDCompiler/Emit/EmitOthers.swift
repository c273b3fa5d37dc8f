import SPD

extension EmitC {
  func pointwise(_ node: Node) -> Invocation {
    let y = layout(node.id)
    let x = node.inputs[0].segments[0]
    let width = y.blocks * channelBlock
    var statement: String
    var second: Segment?
    switch node.op {
    case .batchNorm(let op):
      let phase = op.enclosing == nil ? "channel" : "phase"
      let shift = op.enclosing == nil ? 2 * width : 5 * width
      // The same table as a convolution's: sums start from its first part, which is unused here.
      statement = "v = v * AT(bias + \(width) + \(phase)) + AT(bias + \(shift) + \(phase));"
      if op.enclosing == nil { statement = "v = v * AT(bias + \(phase)) + AT(bias + \(width) + \(phase));" }
    case .activation(let activation):
      statement = activation.statement
    default:
      statement = "v += AT(r + residual);"
      second = node.inputs[1].segments[0]
    }
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)",
        "BLOCKS": "\(y.blocks)", "EPILOGUE": statement,
      ] + strides("X", layout(x.node)) + strides("Y", y) + strides("R", second.map { layout($0.node) })
    return Invocation(holes: holes) {
      "\($0)(\(self.pointers([self.address(x)])), \(self.packedAddress(node.id)), "
        + "\(second.map { self.address($0) } ?? "NULL"), \(self.address(node.id)), thread, threads);\n"
    }
  }

  func pool(_ node: Node, _ op: Op.Pool) -> Invocation {
    let y = layout(node.id)
    let x = node.inputs[0].segments[0]
    let input = graph.shape(of: node.inputs[0])
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "BLOCKS": "\(y.blocks)", "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
        "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)", "STRIDE_Y": "\(op.stride.height)",
        "STRIDE_X": "\(op.stride.width)", "PAD_TOP": "\(op.padding.height)", "PAD_LEFT": "\(op.padding.width)",
      ] + strides("X", layout(x.node)) + strides("Y", y)
    return unary(node, x, holes)
  }

  func globalAverage(_ node: Node) -> Invocation {
    let y = layout(node.id)
    let x = node.inputs[0].segments[0]
    let input = graph.shape(of: node.inputs[0])
    var holes =
      [
        "IMAGES": "\(node.shape.batch)", "BLOCKS": "\(y.blocks)", "ROWS": "\(input.height)", "COLS": "\(input.width)",
      ] + strides("X", layout(x.node)) + strides("Y", y)
    holes["Y_ROW"] = nil
    return unary(node, x, holes)
  }

  func softmax(_ node: Node) -> Invocation {
    let y = layout(node.id)
    let x = node.inputs[0].segments[0]
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)",
        "CHANNELS": "\(node.shape.channels)", "BLOCKS": "\(y.blocks)",
      ] + strides("X", layout(x.node)) + strides("Y", y)
    return unary(node, x, holes)
  }

  func flatten(_ node: Node) -> Invocation {
    let y = layout(node.id)
    let x = node.inputs[0].segments[0]
    let input = graph.shape(of: node.inputs[0])
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "ROWS": "\(input.height)", "COLS": "\(input.width)",
        "CHANNELS": "\(input.channels)", "Y_BLOCKS": "\(y.blocks)", "Y_IMAGE": "\(y.imageStride)",
        "Y_BLOCK": "\(y.blockStride)",
      ] + strides("X", layout(x.node))
    return unary(node, x, holes)
  }

  private func unary(_ node: Node, _ x: Segment, _ holes: [String: String]) -> Invocation {
    Invocation(holes: holes) {
      "\($0)(\(self.pointers([self.address(x)])), \(self.address(node.id)), thread, threads);\n"
    }
  }

  func decode(_ node: Node, _ op: Op.DecodeBoxes) -> Invocation {
    var lines: [String] = []
    var first = 0
    for (level, operand) in node.inputs.enumerated() {
      let shape = graph.shape(of: operand)
      let x = layout(operand.segments[0].node)
      lines.append(
        "LEVEL(\(level), \(first), \(shape.height), \(shape.width), \(op.strides[level]), \(x.imageStride), "
          + "\(x.rowStride), \(x.blockStride));")
      first += op.anchorsPerLevel * shape.height * shape.width
    }
    let holes = [
      "CLASSES": "\(op.classes)", "BOXES": "\(first)", "IMAGES": "\(node.shape.batch)",
      "ANCHORS": "\(op.anchorsPerLevel)", "LEVELS": lines.joined(separator: "\n    "),
    ]
    let x = node.inputs.map { address($0.segments[0]) }
    let index = graph.outputs.firstIndex { $0.segments[0].node == node.id }
    let offset = index.map { plan.outputs[$0].offset } ?? 0
    return Invocation(holes: holes) {
      "\($0)(\(self.pointers(x)), \(self.packedAddress(node.id)), output\(offset == 0 ? "" : " + \(offset)"), thread, threads);\n"
    }
  }

  func copy(_ node: Node) -> Invocation {
    let y = layout(node.id)
    let holes = copyHoles(
      node.inputs[0], shape: node.shape, padded: y.blocks * channelBlock, blockwise: true,
      y: (y.imageStride, y.rowStride, y.columnStride, y.blockStride, 1))
    let x = node.inputs[0].segments.map(viewAddress)
    return Invocation(holes: holes) { "\($0)(\(self.pointers(x)), \(self.address(node.id)), thread, threads);\n" }
  }

  func storeInvocation(output: Int) -> Invocation {
    let operand = graph.outputs[output]
    let shape = graph.shape(of: operand)
    let plane = shape.height * shape.width
    let holes = copyHoles(
      operand, shape: shape, padded: shape.channels, blockwise: false,
      y: (shape.channels * plane, shape.width, 1, channelBlock * plane, plane))
    let x = operand.segments.map(viewAddress)
    let offset = plan.outputs[output].offset
    return Invocation(holes: holes) {
      "\($0)(\(self.pointers(x)), output\(offset == 0 ? "" : " + \(offset)"), thread, threads);\n"
    }
  }

  /// Where a segment begins, in the arena or in the caller's image.
  private func viewAddress(_ segment: Segment) -> String {
    guard segment.node == graph.input.id else { return address(segment) }
    let shape = graph.input.shape
    let offset =
      segment.first * shape.height * shape.width + segment.rowPhase * shape.width + segment.columnPhase
    return "input + \(offset)"
  }

  private func copyHoles(
    _ operand: Operand, shape: Shape, padded: Int, blockwise: Bool,
    y: (image: Int, row: Int, column: Int, block: Int, lane: Int)
  ) -> [String: String] {
    let lines = operand.segments.enumerated().map { index, segment -> String in
      let fromImage = segment.node == graph.input.id
      let source = graph[segment.node].shape
      let x = fromImage ? nil : layout(segment.node)
      let plane = source.height * source.width
      let image = x?.imageStride ?? source.channels * plane
      let row = segment.step * (x?.rowStride ?? source.width)
      let column = segment.step * (x?.columnStride ?? 1)
      let block = x?.blockStride ?? channelBlock * plane
      let lastChannel = segment.target + segment.channels == shape.channels
      let wholeBlocks =
        segment.targetStride == 1 && segment.target % channelBlock == 0 && segment.first % channelBlock == 0
        && (segment.channels % channelBlock == 0 || lastChannel)
      if blockwise, !fromImage, wholeBlocks {
        let blocks = (segment.channels + channelBlock - 1) / channelBlock
        return "COPY_BLOCKS(\(index), \(blocks), \(segment.target / channelBlock), \(image), \(row), \(column), "
          + "\(block), \(segment.upsampling))"
      }
      // The address is that of a block; the view may begin at any of its lanes.
      let lane = fromImage ? 0 : segment.first % channelBlock
      return
        "COPY_LANES(\(index), \(segment.channels), \(lane), \(segment.target), \(segment.targetStride), \(image), "
        + "\(row), \(column), \(block), \(fromImage ? plane : 1), \(segment.upsampling))"
    }
    return [
      "IMAGES": "\(shape.batch)", "ROWS": "\(shape.height)", "COLS": "\(shape.width)",
      "CHANNELS": "\(shape.channels)", "PADDED": "\(padded)", "Y_IMAGE": "\(y.image)", "Y_ROW": "\(y.row)",
      "Y_COL": "\(y.column)", "Y_BLOCK": "\(y.block)", "Y_LANE": "\(y.lane)",
      "SEGMENTS": lines.joined(separator: "\n        "),
    ]
  }
}
