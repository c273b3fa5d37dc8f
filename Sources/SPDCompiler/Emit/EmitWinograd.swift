import SPD

extension EmitC {
  func winograd(_ node: Node, _ op: Op.Convolution, _ tile: WinogradTile) -> Invocation {
    let y = layout(node.id)
    let residual = residual(node, op)
    let segments = node.inputs[0].segments
    let inputBlocks = PlanMemory.inputBlocks(node)
    let width = y.blocks * channelBlock
    let transforms = Winograd.of(size: tile.size)
    let lines = segments.map { segment in
      let layout = layout(segment.node)
      return "\(blocks(segment)), \(layout.blockStride), \(segment.step * layout.rowStride), "
        + "\(segment.step * layout.columnStride), \(layout.imageStride)"
    }
    // The last strip may be narrower.
    let strips = Set([min(tile.strip, y.blocks), y.blocks % tile.strip]).subtracting([0]).sorted()
    let products = tile.groupSizes(node.shape).flatMap { tiles in strips.map { (tiles: tiles, strip: $0) } }
    let inputPlane = tile.inputPlane(node.shape, inputBlocks: inputBlocks)
    let holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "IN_BLOCKS": "\(inputBlocks)", "M": "\(tile.size)", "STRIP": "\(tile.strip)",
        "TILES": "\(tile.tiles)", "GROUP": "\(tile.group)", "CHUNK": "\(tile.chunk)", "V_PLANE": "\(inputPlane)",
        "M_PLANE": "\(tile.productPlane(node.shape))", "SHARED": tile.shared ? "1" : "0",
        "SEGMENTS": runs(lines).map { "TRANSFORM(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    "),
        "PRODUCTS": products.map { "PRODUCT(\($0.tiles), \($0.strip));" }.joined(separator: "\n    "),
        "EPILOGUE": epilogue(op.epilogue, width: width),
      ] + strides("Y", y) + strides("R", residual.layout)
    let support =
      [
        Support(
          template: "winograd_transforms",
          holes: [
            "M": "\(tile.size)", "N": "\(tile.edge)",
            "POINTS": transforms.points.map { "\($0)" }.joined(separator: ", "),
            "INPUT": transforms.inputStatements.joined(separator: "\n    "),
            "OUTPUT": transforms.outputStatements.joined(separator: "\n    "),
          ])
      ]
      + products.map { product(tiles: $0.tiles, strip: $0.strip) }
    let x = segments.map { address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) }
    let bias = packedAddress(node.id, plus: tile.frequencies * inputBlocks * channelBlock * width)
    let step = plan.steps.firstIndex { $0.node == node.id }
    let shared = plan.workspaces.first { $0.step == step }.map { "arena + \($0.offset)" } ?? "NULL"
    return Invocation(holes: holes, support: support) {
      "\($0)(\(self.pointers(x)), \(shared), scratch, \(self.packedAddress(node.id)), \(bias), \(residual.address), "
        + "\(self.address(node.id)), part, parts);\n"
    }
  }

  /// The register tile of `tiles` tiles and `strip` blocks of outputs, one statement per accumulator.
  private func product(tiles: Int, strip: Int) -> Support {
    let vectors = 0..<strip * (channelBlock / plan.target.lanes)
    let names = (0..<tiles).map { tile in vectors.map { "a\(tile)_\($0)" } }
    func lines(_ text: [String], _ indent: Int) -> String { text.joined(separator: "\n" + String(repeating: " ", count: indent)) }
    return Support(
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
            names.enumerated().map { "PUT(m + (\(tile) * WIDTH + \($0.offset)) * VL, \($0.element));" }.joined(separator: " ")
          }, 4),
      ])
  }

  private func blocks(_ segment: Segment) -> Int { ChooseTile.ceilDivide(segment.channels, channelBlock) }
}
