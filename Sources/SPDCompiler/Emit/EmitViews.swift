import SPD

// What kernels that only move values have in common.
extension EmitC {
  /// Where a segment begins, in the arena or in the caller's image.
  func viewAddress(_ segment: Segment) -> String {
    guard segment.node == graph.input.id else { return address(segment) }
    let shape = graph.input.shape
    let offset =
      segment.first * shape.height * shape.width + segment.rowPhase * shape.width + segment.columnPhase
    return "input + \(offset)"
  }

  /// The template `copy` for a list of views, written with these strides.
  func copyHoles(
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
