import SPD

/// Where a convolution stores: its own result, or views of a gradient.
struct StoreTarget {
  /// Offset of the first pixel.
  var address: String
  /// Blocks of 16 channels.
  var blocks: Int
  var image: Int
  var row: Int
  var column: Int
  /// Where block number `out` begins, as C.
  var block: String
  /// What is there already is added to the vector v about to be stored at `to`.
  var adds = false

  var holes: [String: String] {
    ["Y_IMAGE": "\(image)", "Y_ROW": "\(row)", "Y_COL": "\(column)", "Y_BLOCK": block]
  }
}

extension EmitC {
  func storeTarget(_ node: Node) -> StoreTarget {
    let blocks = ChooseTile.ceilDivide(node.shape.channels, channelBlock)
    guard let destination = node.destinations?.first else {
      let y = layout(node.id)
      return StoreTarget(
        address: address(node.id), blocks: blocks, image: y.imageStride, row: y.rowStride, column: y.columnStride,
        block: "out * (ptrdiff_t)\(y.blockStride)")
    }
    let segments = destination.segments
    let layout = layout(segments[0].node)
    // Runs of blocks, one for each segment, from the last to the first.
    var end = blocks
    var block = ""
    for segment in segments.reversed() {
      let first = end - ChooseTile.ceilDivide(segment.channels, channelBlock)
      let offset =
        (segment.rowPhase - segments[0].rowPhase) * layout.rowStride
        + (segment.columnPhase - segments[0].columnPhase) * layout.columnStride
        + (segment.first - segments[0].first) / channelBlock * layout.blockStride - first * layout.blockStride
      let place = "out * (ptrdiff_t)\(layout.blockStride) + (\(offset))"
      block = block.isEmpty ? place : "(out < \(end) ? \(place) : \(block))"
      end = first
    }
    return StoreTarget(
      address: address(segments[0]), blocks: blocks, image: layout.imageStride,
      row: segments[0].step * layout.rowStride,
      column: segments[0].step * layout.columnStride, block: block, adds: destination.adds)
  }
}
