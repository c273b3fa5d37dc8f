import SPD

extension EmitC {
  func winograd(_ node: Node, _ op: Op.Convolution, _ kernel: Kernel) -> Invocation {
    guard let tile = kernel.winograd else { preconditionFailure("\(kernel) is no Winograd kernel") }
    let y = storeTarget(node)
    let residual = residual(node, op)
    let inputBlocks = PlanMemory.inputBlocks(node, kernel)
    let width = y.blocks * channelBlock
    let source = winogradSource(node, op, kernel, edge: tile.edge)
    // The last strip may be narrower.
    let strips = Set([min(tile.strip, y.blocks), y.blocks % tile.strip]).subtracting([0]).sorted()
    let products = tile.groupSizes(node.shape).flatMap { tiles in strips.map { (tiles: tiles, strip: $0) } }
    let inputPlane = tile.inputPlane(node.shape, inputBlocks: inputBlocks)
    let gathering = gathering(
      node, op, strip: tile.strip,
      [
        "KEEP": "sums[i * \(tile.size) + j] = v;",
        "ADD": "add_statistics(gathered, b * VECTORS + n, sums, rows, cols, \(tile.size), 1);",
        "COUNT": "gathered->pixels += rows * cols;",
      ],
      slot: "i * \(ChooseTile.ceilDivide(tile.tiles, tile.group)) + group", channel: "strip * \(tile.strip) * BLOCK",
      vectors: "blocks * VECTORS")
    let holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "IN_BLOCKS": "\(inputBlocks)", "M": "\(tile.size)", "STRIP": "\(tile.strip)",
        "TILES": "\(tile.tiles)", "GROUP": "\(tile.group)", "CHUNK": "\(tile.chunk)", "V_PLANE": "\(inputPlane)",
        "M_PLANE": "\(tile.productPlane(node.shape))", "SHARED": tile.shared ? "1" : "0",
        "STREAM": tile.streams && !y.adds ? "1" : "0",
        "FETCH": !tile.shared && source.isFetched ? "1" : "0",
        "INPUT": source.address, "SEGMENTS": source.transforms,
        "PRODUCTS": products.map { "PRODUCT(\($0.tiles), \($0.strip));" }.joined(separator: "\n    "),
        "EPILOGUE": epilogue(op.epilogue, width: width, adds: y.adds),
      ] + y.holes + strides("R", residual.layout) + gathering.holes
    let support =
      gathering.support + [transforms(Winograd.of(size: tile.size))] + source.support
      + products.map { product(tiles: $0.tiles, strip: $0.strip) }
    let bias = packedAddress(
      node.id, plus: PlanMemory.packedCount(node, kernel, in: graph) - width * (op.epilogue.phaseNorm == nil ? 1 : 9))
    let step = plan.steps.firstIndex { $0.node == node.id }
    let shared = plan.workspaces.first { $0.step == step }.map { "arena + \($0.offset)" } ?? "NULL"
    let count = ChooseTile.ceilDivide(y.blocks, tile.strip)
    return Invocation(holes: holes, support: support) { function in
      func call(_ strips: String) -> String {
        "\(function)(\(self.pointers(source.pointers)), \(shared), scratch, \(self.packedAddress(node.id)), \(bias), "
          + "\(residual.address), \(y.address), \(strips)\(gathering.argument), thread, threads);\n"
      }
      guard tile.share > 0 else { return call("0, \(count)") }
      // The first strips have been packed before the call.
      return """
        for (int from = 0, to; from < \(count); from = to) {
            to = from + \(tile.share) < \(count) ? from + \(tile.share) : \(count);
            if (from > 0) {
                BARRIER
                \(self.packing(of: node, op, kernel, blocks: ("from * \(tile.strip)", "to * \(tile.strip)")))
                BARRIER
            }
            \(call("from, to"))}

        """
    }
  }

  /// Where tiles come from.
  private struct WinogradSource {
    var pointers: [String]
    /// The address of a tile's first input; see the template.
    var address: String
    /// A line for each run of segments.
    var transforms: String
    var support: [Support] = []
    /// Whether the inputs of a later tile can be fetched ahead by their address.
    var isFetched = true
  }

  private func winogradSource(_ node: Node, _ op: Op.Convolution, _ kernel: Kernel, edge: Int) -> WinogradSource {
    let segments = node.inputs[0].segments
    let (m, padding) = (edge - 2, op.padding)
    guard case .convImageWinograd(_, let scale) = kernel else {
      let lines = segments.map { segment in
        let layout = layout(segment.node)
        return "\(ChooseTile.ceilDivide(segment.channels, channelBlock)), \(layout.blockStride), "
          + "\(segment.step * layout.rowStride), \(segment.step * layout.columnStride), \(layout.imageStride)"
      }
      return WinogradSource(
        pointers: segments.map { address($0, rowsBefore: padding.height, columnsBefore: padding.width) },
        address: "x[s] + image * image_step + b * block_step + row * \(m) * row_step + col * \(m) * pixel_step",
        transforms: runs(lines).map { "TRANSFORM(\($0.first), \($0.count), \($0.line));" }.joined(separator: "\n    "))
    }
    let input = graph.input.shape
    let order = segments.map { "\($0.target)" }.joined(separator: "_")
    let gather = segments.flatMap { segment in
      (0..<segment.channels).map {
        "lanes[\(segment.target + $0 * segment.targetStride)] = "
          + "p[\($0) * PLANE + \(segment.rowPhase * input.width + segment.columnPhase)];"
      }
    }
    return WinogradSource(
      pointers: ["input"],
      address: "winograd_image_\(edge)_\(order)(x[s], image, row * \(m) - \(padding.height), "
        + "col * \(m) - \(padding.width), (vec[\(edge * edge) * VECTORS]){SPLAT(0.0f)})",
      transforms: "TRANSFORM(0, 1, 1, 0, \(edge) * BLOCK, BLOCK, 0);",
      support: [
        Support(
          template: "winograd_image",
          holes: [
            "N": "\(edge)", "ORDER": order, "SCALE": "\(scale)", "CHANNELS": "\(input.channels)",
            "IN_ROWS": "\(input.height)", "IN_COLS": "\(input.width)",
            "GATHER": gather.joined(separator: "\n            "),
          ])
      ], isFetched: false)
  }

  func transforms(_ winograd: Winograd) -> Support {
    Support(
      template: "winograd_transforms",
      holes: [
        "M": "\(winograd.size)", "N": "\(winograd.edge)",
        "POINTS": winograd.points.map { "\($0)" }.joined(separator: ", "),
        "INPUT": winograd.inputStatements.joined(separator: "\n    "),
        "OUTPUT": winograd.outputStatements.joined(separator: "\n    "),
      ])
  }

  /// The register tile of `tiles` tiles and `strip` blocks of outputs, one statement per accumulator.
  private func product(tiles: Int, strip: Int) -> Support {
    let vectors = 0..<strip * (channelBlock / plan.target.lanes)
    let names = (0..<tiles).map { tile in vectors.map { "a\(tile)_\($0)" } }
    func lines(_ text: [String], _ indent: Int) -> String {
      text.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
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
            names.enumerated().map { "PUT(m + (\(tile) * WIDTH + \($0.offset)) * VL, \($0.element));" }.joined(
              separator: " ")
          }, 4),
      ])
  }
}
