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
      + products.map { Support(template: "winograd_product", holes: ["TILES": "\($0.tiles)", "STRIP": "\($0.strip)"]) }
    let x = segments.map { address($0, rowsBefore: op.padding.height, columnsBefore: op.padding.width) }
    let bias = packedAddress(node.id, plus: tile.frequencies * inputBlocks * channelBlock * width)
    let step = plan.steps.firstIndex { $0.node == node.id }
    let shared = plan.workspaces.first { $0.step == step }.map { "arena + \($0.offset)" } ?? "NULL"
    return Invocation(holes: holes, support: support) {
      "\($0)(\(self.pointers(x)), \(shared), scratch, \(self.packedAddress(node.id)), \(bias), \(residual.address), "
        + "\(self.address(node.id)), part, parts);\n"
    }
  }

  private func blocks(_ segment: Segment) -> Int { ChooseTile.ceilDivide(segment.channels, channelBlock) }
}
