import SPD

/// Where a convolution stores: its own result, or views of a gradient.
struct StoreTarget {
  /// `{at, image, row, col, block}` in C.
  var place: String
  /// Blocks of 16 channels.
  var blocks: Int
  /// Where each block begins, unless each lies one step after the one before.
  var starts: [Int]?
  /// What is there already is added to the vector v about to be stored at `to`.
  var adds = false
}

extension EmitC {
  func storeTarget(_ node: Node) -> StoreTarget {
    let blocks = ChooseTile.ceilDivide(node.shape.channels, channelBlock)
    guard let destination = node.destinations?.first else {
      return StoreTarget(place: placeText(Segment(node: node.id, channels: node.shape.channels)), blocks: blocks)
    }
    let first = destination.segments[0]
    let layout = layout(first.node)
    let (row, column) = (layout.rowStride, layout.columnStride)
    let starts = destination.segments.flatMap { segment in
      (0..<ChooseTile.ceilDivide(segment.channels, channelBlock)).map { block in
        (segment.rowPhase - first.rowPhase) * row + (segment.columnPhase - first.columnPhase) * column
          + ((segment.first - first.first) / channelBlock + block) * layout.blockStride
      }
    }
    let isEven = starts == (0..<blocks).map { $0 * layout.blockStride }
    return StoreTarget(
      place:
        "{\(place(of: first)), \(layout.imageStride), \(first.step * row), \(first.step * column), \(layout.blockStride)}",
      blocks: blocks, starts: isEven ? nil : starts, adds: destination.adds)
  }

  /// The field that says where blocks begin, and what block number `block` begins at, in the type of a kernel's layers.
  var blockHoles: [String: String] {
    let splits = graph.nodes.contains { node in
      guard case .convolution = node.op, node.destinations != nil else { return false }
      return storeTarget(node).starts != nil
    }
    return [
      "BLOCKS_FIELD": splits
        ? "\n    const ptrdiff_t *y_blocks; /* where each block begins; NULL if they are y.block apart */" : "",
      "BLOCK": splits ? "(c->y_blocks == NULL ? block * c->y.block : c->y_blocks[block])" : "block * c->y.block",
    ]
  }

  /// The field of a layer whose blocks do not lie evenly.
  func blockField(_ target: StoreTarget) -> [(String, String)] {
    target.starts.map { [("y_blocks", "(const ptrdiff_t[]){\(list($0))}")] } ?? []
  }
}
