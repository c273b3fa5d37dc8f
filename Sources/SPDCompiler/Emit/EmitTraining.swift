import SPD

// The kernels that only training has.
extension EmitC {
  func training(_ node: Node, _ op: Op.Training, _ kernel: Kernel) -> Invocation {
    switch op {
    case .gradient: clear(node)
    case .poolGradient(let op): poolGradient(node, op)
    case .globalAverageGradient: globalAverageGradient(node)
    case .copyGradient: copyGradient(node)
    case .loss(let op): loss(node, op)
    case .statistics(let norm): statistics(node, norm)
    case .normalize(let op): normalize(node, op)
    case .batchNormBackwardReduce(let op): batchNormBackwardReduce(node, op)
    case .normalizeGradient(let op): normalizeGradient(node, op)
    case .weightGradient(let op): weightGradient(node, op, kernel)
    }
  }

  /// The memory that all threads share in a node's step.
  func workspace(_ node: Node) -> String {
    let step = plan.steps.firstIndex { $0.node == node.id }
    return plan.workspaces.first { $0.step == step }.map { "arena + \($0.offset)" } ?? "NULL"
  }

  /// The optimiser's step on some parameters.
  func update(_ parameters: [String]) -> Invocation {
    let optimizer = "\(prefix)_optimizer"
    return Invocation(
      holes: ["RULES": optimizer], support: [Support(template: "optimizer_rules", holes: ["NAME": optimizer])]
    ) { function in
      parameters.map { name in
        let entry = plan.state!.entries.first { $0.name == name }!
        return "\(function)(update, losses, values, trainer->momentum, trainer->second_moments, trainer->average, "
          + "\(entry.offset), \(entry.count), \(entry.group), \(entry.group < 0 ? "NULL" : gradient(name)), thread, threads);\n"
      }.joined()
    }
  }

  private func loss(_ node: Node, _ op: Op.Loss) -> Invocation {
    let step = plan.steps.firstIndex { $0.node == node.id }
    let scratch = plan.workspaces.first { $0.step == step }!
    let heads = node.inputs.map { $0.segments[0] }
    let gradients = node.destinations!.map { $0.segments[0] }
    let layouts = zip(heads, gradients).map { (logits: layout($0.node), gradient: layout($1.node)) }
    switch op {
    case .crossEntropy:
      return Invocation(holes: LossHoles.crossEntropy(logits: layouts[0].logits, gradient: layouts[0].gradient)) {
        "\($0)(\(self.address(heads[0])), batch->labels, batch->label_smoothing, \(self.address(gradients[0])), losses, "
          + "arena + \(scratch.offset), thread, threads);\n"
      }
    case .composed(let loss):
      let holes = LossHoles.composed(loss, output: layouts[0].logits, gradient: layouts[0].gradient)
      return Invocation(holes: holes) {
        "\($0)(\(self.address(heads[0])), batch->targets, batch->labels, batch->label_smoothing, "
          + "\(self.address(gradients[0])), losses, arena + \(scratch.offset), thread, threads);\n"
      }
    case .yolo(let boxes):
      // Autobalance keeps that of stride 16 at 1.
      let reference = boxes.strides.firstIndex(of: 16) ?? boxes.strides.count / 2
      let holes = LossHoles.yolo(
        classes: boxes.classes, anchors: boxes.anchorsPerLevel, levels: layouts, reference: reference,
        maxTargets: plan.maxTargets)
      let to = gradients.map { self.address($0) }.joined(separator: ", ")
      return Invocation(holes: holes) {
        "\($0)(\(self.pointers(heads.map { self.address($0) })), batch->targets, batch->target_count, "
          + "\(self.value(boxes.anchors)), trainer->balances, batch->rates, (float *const[]){\(to)}, losses, "
          + "arena + \(scratch.offset), thread, threads);\n"
      }
    }
  }

  private func clear(_ node: Node) -> Invocation {
    let buffer = plan.buffer(of: node.id)
    return Invocation(holes: ["COUNT": "\(buffer.layout.count)"]) {
      "\($0)(arena + \(buffer.offset), thread, threads);\n"
    }
  }

  private func poolGradient(_ node: Node, _ op: Op.Pool) -> Invocation {
    let destination = node.destinations![0]
    let (gradient, x, to) = (node.inputs[0].segments[0], node.inputs[1].segments[0], destination.segments[0])
    let output = graph.shape(of: node.inputs[0])
    let holes =
      [
        "IMAGES": "\(node.shape.batch)", "BLOCKS": "\(ChooseTile.ceilDivide(node.shape.channels, channelBlock))",
        "IN_ROWS": "\(node.shape.height)", "IN_COLS": "\(node.shape.width)", "OUT_ROWS": "\(output.height)",
        "OUT_COLS": "\(output.width)", "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)",
        "STRIDE_Y": "\(op.stride.height)", "STRIDE_X": "\(op.stride.width)", "PAD_TOP": "\(op.padding.height)",
        "PAD_LEFT": "\(op.padding.width)", "MAX": op.kind == .max ? "1" : "0", "ADDS": destination.adds ? "1" : "0",
      ] + strides("X", layout(x.node)) + strides("G", layout(gradient.node)) + strides("D", layout(to.node))
    return Invocation(holes: holes) {
      "\($0)(\(self.address(x)), \(self.address(gradient)), \(self.address(to)), thread, threads);\n"
    }
  }

  private func globalAverageGradient(_ node: Node) -> Invocation {
    let destination = node.destinations![0]
    let (gradient, to) = (node.inputs[0].segments[0], destination.segments[0])
    var holes =
      [
        "IMAGES": "\(node.shape.batch)", "BLOCKS": "\(ChooseTile.ceilDivide(node.shape.channels, channelBlock))",
        "ROWS": "\(node.shape.height)", "COLS": "\(node.shape.width)", "ADDS": destination.adds ? "1" : "0",
      ] + strides("G", layout(gradient.node)) + strides("D", layout(to.node))
    holes["G_ROW"] = nil
    return Invocation(holes: holes) { "\($0)(\(self.address(gradient)), \(self.address(to)), thread, threads);\n" }
  }

  private func copyGradient(_ node: Node) -> Invocation {
    let gradient = node.inputs[0].segments[0]
    let views = node.destinations!.flatMap { destination in destination.segments.map { ($0, destination.adds) } }
    let lines = views.enumerated().map { index, view in
      let (segment, adds) = view
      let to = layout(segment.node)
      return "GATHER(\(index), \(segment.channels), \(segment.first % channelBlock), \(segment.target), "
        + "\(segment.targetStride), \(node.shape.height / segment.upsampling), \(node.shape.width / segment.upsampling), "
        + "\(to.imageStride), \(segment.step * to.rowStride), \(segment.step * to.columnStride), \(to.blockStride), "
        + "\(segment.upsampling), \(adds ? 1 : 0));"
    }
    // Views that show one place twice in rows of different heights are shared out between threads in different ways.
    let races = node.destinations!.contains { $0.adds && Set($0.segments.map(\.upsampling)).count > 1 }
    let holes =
      ["IMAGES": "\(node.shape.batch)", "SEGMENTS": lines.joined(separator: races ? "\n    BARRIER\n    " : "\n    ")]
      + strides("X", layout(gradient.node))
    let to = views.map { address($0.0) }
    return Invocation(holes: holes) {
      "\($0)(\(self.address(gradient)), (float *const[]){\(to.joined(separator: ", "))}, thread, threads);\n"
    }
  }

  private func address(_ segment: Segment) -> String { address(segment, rowsBefore: 0, columnsBefore: 0) }
}
