import SPD

/// Boxes in pixels of the input from the levels of YOLOv5's head. Writes the network's only output itself.
struct DecodeBoxesKernel: PackingKernel {
  let template = "decode_boxes"

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .decodeBoxes(let op) = node.op else { mismatch(node) }
    return KernelNeeds(packed: PlanMemory.roundUp(op.strides.count * op.anchorsPerLevel * 2))
  }

  /// Anchors in pixels.
  func packing(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> EmitC.PackingStatements {
    guard case .decodeBoxes(let op) = node.op else { mismatch(node) }
    let count = op.anchorsPerLevel * 2
    let lines = op.strides.enumerated().map { level, stride in
      "for (int i = share(\(count), thread, threads); i < share(\(count), thread + 1, threads); i++) "
        + "weights[\(block.offset + level * count) + i] = "
        + "\(c.tensor(op.anchors))[\(level * count) + i] * \(stride).0f;"
    }
    return EmitC.PackingStatements(lines: lines)
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .decodeBoxes(let op) = node.op else { mismatch(node) }
    var lines: [String] = []
    var first = 0
    for (level, operand) in node.inputs.enumerated() {
      let shape = c.graph.shape(of: operand)
      let x = c.layout(operand.segments[0].node)
      lines.append(
        "LEVEL(\(level), \(first), \(shape.height), \(shape.width), \(op.strides[level]), \(x.imageStride), "
          + "\(x.rowStride), \(x.blockStride));")
      first += op.anchorsPerLevel * shape.height * shape.width
    }
    let holes = [
      "CLASSES": "\(op.classes)", "BOXES": "\(first)", "IMAGES": "\(node.shape.batch)",
      "ANCHORS": "\(op.anchorsPerLevel)", "LEVELS": lines.joined(separator: "\n    "),
    ]
    let x = node.inputs.map { c.address($0.segments[0]) }
    let index = c.graph.outputs.firstIndex { $0.segments[0].node == node.id }
    let offset = index.map { c.plan.outputs[$0].offset } ?? 0
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers(x)), \(c.packedAddress(node.id)), output\(offset == 0 ? "" : " + \(offset)"), thread, threads);\n"
    }
  }
}
