import SPD

extension GraphWriter {
  /// ONNX has an operator for its own channel order only. Other orders are a transposition of the six axes N, C, H/s,
  /// row phase, W/s, column phase.
  mutating func append(_ node: Node, _ op: Op.SpaceToDepth) {
    let layer = node.layer
    let x = map(node[.input], for: layer)
    switch op.order {
    case .onnx:
      let name = operation("SpaceToDepth", [x.name], for: layer, [.int("blocksize", op.scale)])
      set(node, to: Value(name: name, dims: node.shape.dims))
    case .paper: append(node, op, x, order: [0, 5, 3, 1, 2, 4])
    case .pixelUnshuffle: append(node, op, x, order: [0, 1, 3, 5, 2, 4])
    }
  }

  private mutating func append(_ node: Node, _ op: Op.SpaceToDepth, _ x: Value, order: [Int]) {
    let shape = node.shape
    let axes = [shape.batch, x.dims[1], shape.height, op.scale, shape.width, op.scale]
    var y = reshaped(x, to: axes, for: node.layer)
    y.name = operation("Transpose", [y.name], for: node.layer, [.ints("perm", order)])
    y.dims = order.map { axes[$0] }
    set(node, to: reshaped(y, to: shape.dims, for: node.layer))
  }
}
