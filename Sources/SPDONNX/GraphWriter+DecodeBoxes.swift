import SPD

extension GraphWriter {
  /// Writes the boxes of all levels as N×rows×(5 + classes).
  ///
  /// Each level is reshaped to N×anchors×H×W×(5 + classes) and split there: centres become xy·2S + (cell − ½)·S, sizes
  /// wh²·4AS, scores stay. With constants precomputed like this, one multiplication and one addition suffice.
  mutating func append(_ node: Node, _ op: Op.DecodeBoxes, parameters: (String) throws -> [Float]) throws {
    let anchors = try graph.parameter(op.anchors)!.values(parameters)
    let perLevel = op.anchorsPerLevel * 2
    guard anchors.count == op.strides.count * perLevel else {
      throw ONNXExportError("\(op.anchors) has \(anchors.count) values for \(op.strides.count) levels")
    }
    var levels: [String] = []
    for (index, stride) in op.strides.enumerated() {
      let sizes = anchors[(index * perLevel)..<((index + 1) * perLevel)].map { 4 * $0 * Float(stride) }
      levels.append(appendLevel(node, op, index, stride: Float(stride), sizes: sizes))
    }
    let boxes = levels.count == 1 ? levels[0] : operation("Concat", levels, for: node.layer, [.int("axis", 1)])
    set(node, to: Value(name: boxes, dims: [node.shape.batch, node.shape.height, node.shape.width]))
  }

  private mutating func appendLevel(
    _ node: Node, _ op: Op.DecodeBoxes, _ index: Int, stride: Float, sizes: [Float]
  ) -> String {
    let layer = node.layer
    let level = map(node.inputs[index], for: layer)
    let (anchors, columns) = (op.anchorsPerLevel, op.classes + 5)
    let (batch, height, width) = (level.dims[0], level.dims[2], level.dims[3])

    let split = reshaped(level, to: [batch, anchors, columns, height, width], for: layer)
    let rows = operation("Transpose", [split.name], for: layer, [.ints("perm", [0, 1, 3, 4, 2])])
    let parts = operation(
      "Split", [rows, constant([2, 2, columns - 4], "split", for: layer)], results: 3, for: layer,
      [.int("axis", -1)])

    // As one expression of closures this takes the type checker nine seconds.
    var cells: [Float] = []
    for y in 0..<height {
      for x in 0..<width { cells += [(Float(x) - 0.5) * stride, (Float(y) - 0.5) * stride] }
    }
    let double = constant([2 * stride], [], "stride\(index)", for: layer)
    let grid = constant(cells, [1, 1, height, width, 2], "grid\(index)", for: layer)
    let centres = operation("Add", [operation("Mul", [parts[0], double], for: layer), grid], for: layer)

    let anchor = constant(sizes, [1, anchors, 1, 1, 2], "anchors\(index)", for: layer)
    let extents = operation("Mul", [operation("Mul", [parts[1], parts[1]], for: layer), anchor], for: layer)

    let boxes = operation("Concat", [centres, extents, parts[2]], for: layer, [.int("axis", -1)])
    let whole = Value(name: boxes, dims: [batch, anchors, height, width, columns])
    return reshaped(whole, to: [batch, anchors * height * width, columns], for: layer).name
  }
}
