import SPD

// Packing: the statements that bring the parameters into the kernels' order.
extension EmitC {
  struct Packing {
    var functions = ""
    var calls = ""
  }

  /// Parameters that the file holds, in its order.
  public static func storedParameters(_ graph: Graph) -> [Parameter] {
    graph.parameters.filter { $0.role != .batchesTracked }
  }

  func emitPacking() throws -> Packing {
    let stored = Self.storedParameters(graph)
    var needed: Set<String> = []
    var calls: [String] = []
    for block in plan.packed {
      let node = graph[block.node]
      let lines: [String]
      switch node.op {
      case .convolution(let op): lines = packConvolution(node, op, block, &needed)
      case .batchNorm(let op): lines = packNorm(node, op, block, &needed)
      case .decodeBoxes(let op): lines = packAnchors(op, block)
      default: preconditionFailure("\(node.op.name) has nothing to pack")
      }
      calls.append("/* %\(node.id) \(CText.comment(node.layer)) */\n" + lines.map { $0 + "\n" }.joined())
    }
    var result = Packing()
    let tensors = stored.map { "{\(hex(fnv1a($0.name.utf8)))u, \($0.count)}, /* \(CText.comment($0.name)) */" }
    result.functions = try templates.fill(
      "parameters",
      [
        "PREFIX": prefix, "UPPER": upper, "GRAPH_HASH": hex(graph.parameterHash),
        "TENSORS": tensors.joined(separator: "\n    "),
        "VARIANCES": (variances(stored) + ["{-1, 0.0}"]).joined(separator: ", "),
      ])
    for template in ["pack_direct", "pack_winograd", "pack_image", "pack_grouped", "pack_bias", "pack_norm"]
    where needed.contains(template) {
      result.functions += "\n" + (try templates.fill(template, [:]))
    }
    result.calls = calls.joined()
    return result
  }

  /// The running variances that are folded, each with its epsilon.
  private func variances(_ stored: [Parameter]) -> [String] {
    let norms = graph.nodes.flatMap { node -> [Op.BatchNorm] in
      switch node.op {
      case .convolution(let op): op.parts.compactMap(\.batchNorm) + [op.epilogue.phaseNorm].compactMap { $0 }
      case .batchNorm(let norm): [norm]
      default: []
      }
    }
    return norms.compactMap { norm in
      stored.firstIndex { $0.name == norm.runningVariance }.map { "{\($0), \(norm.epsilon)}" }
    }
  }

  func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// The C expression of a parameter's values.
  private func tensor(_ name: String) -> String {
    guard let index = Self.storedParameters(graph).firstIndex(where: { $0.name == name }) else {
      preconditionFailure("no stored parameter \(name)")
    }
    return "tensor(parameters, \(index))"
  }

  private func norm(_ norm: Op.BatchNorm?) -> String {
    guard let norm else { return "&(batch_norm){0}" }
    return "&(batch_norm){\(tensor(norm.weight)), \(tensor(norm.bias)), \(tensor(norm.runningMean)), "
      + "\(tensor(norm.runningVariance)), \(norm.epsilon)}"
  }

  private func packConvolution(
    _ node: Node, _ op: Op.Convolution, _ block: Plan.PackedBlock, _ needed: inout Set<String>
  ) -> [String] {
    guard let kernel = plan.steps.first(where: { $0.node == node.id })?.kernel else {
      preconditionFailure("a node without step")
    }
    let blocks = (node.shape.channels + channelBlock - 1) / channelBlock
    let width = blocks * channelBlock
    let inputs = op.totalInputChannels ?? graph.shape(of: node.inputs[0]).channels
    let segments = node.inputs[0].segments
    var lines: [String] = []
    var first = 0
    if !op.epilogue.addsAccumulator { needed.insert("pack_bias") }
    for part in op.parts {
      let weight = tensor(part.weight)
      let bias = part.bias.map(tensor) ?? "NULL"
      let norm = norm(part.batchNorm)
      var biasOffset = 0
      switch kernel {
      case .convDirect(let tile) where op.groups == 1:
        needed.insert("pack_direct")
        let depth = PlanMemory.inputBlocks(node) * channelBlock * op.kernel.area
        lines.append(
          "pack_direct(weights + \(block.offset), \(blocks), \(tile.strip), \(depth), \(views(segments)), "
            + "\(segments.count), \(op.kernel.area), \(inputs), \(weight), \(first), \(part.outputs), \(norm), "
            + "thread, threads);")
        biasOffset = depth * width
      case .convWinograd(let tile), .convImageWinograd(let tile, _):
        needed.insert("pack_winograd")
        let depth = PlanMemory.inputBlocks(node, kernel) * channelBlock
        let transform = Winograd.of(size: tile.size).kernelTransform.joined().map { "\($0)" }.joined(separator: ", ")
        var (shown, count) = (views(segments), segments.count)
        // An image's channels and phases lie in the weights' order.
        if case .convImageWinograd = kernel { (shown, count) = ("(const input_view[]){{\(inputs), 0, 1}}", 1) }
        lines.append(
          "pack_winograd(weights + \(block.offset), \(blocks), \(tile.strip), \(depth), \(shown), \(count), "
            + "\(tile.edge), (const double[]){\(transform)}, \(inputs), \(weight), \(first), "
            + "\(part.outputs), \(norm), thread, threads);")
        biasOffset = tile.elements * depth * width
      case .convDirect(let tile):
        // Groups of whole blocks: each is packed and placed as a convolution of its own.
        needed.insert("pack_direct")
        let perGroup = inputs / op.groups
        let outputs = part.outputs / op.groups
        let depth = perGroup * op.kernel.area
        for group in 0..<op.groups {
          // The normalisation is indexed by the outputs of the group, so it moves along.
          let shifted = shiftedNorm(part.batchNorm, by: group * outputs)
          lines.append(
            "pack_direct(weights + \(block.offset + group * depth * outputs), \(outputs / channelBlock), \(tile.strip), "
              + "\(depth), (const input_view[]){{\(perGroup), 0, 1}}, 1, \(op.kernel.area), \(perGroup), "
              + "\(weight) + \(group * outputs * depth), 0, \(outputs), \(shifted), thread, threads);")
        }
        biasOffset = depth * width
      case .convImage(let tile, let scale):
        needed.insert("pack_image")
        let channels = graph.input.shape.channels
        let phases = segments.sorted { ($0.rowPhase, $0.columnPhase) < ($1.rowPhase, $1.columnPhase) }
        lines.append(
          "pack_image(weights + \(block.offset), \(blocks), \(tile.strip), \(channels), \(scale), "
            + "(const int[]){\(list(phases.map(\.target)))}, (const int[]){\(list(phases.map(\.targetStride)))}, "
            + "\(op.kernel.height), \(op.kernel.width), \(weight), \(first), \(part.outputs), \(norm), thread, threads);"
        )
        biasOffset = op.kernel.area * scale * scale * channels * width
      default:
        needed.insert("pack_grouped")
        let depthwise = kernel == .convDepthwise
        let perGroup = inputs / op.groups
        lines.append(
          "pack_grouped(weights + \(block.offset), \(depthwise ? 1 : 0), \(perGroup), \(op.kernel.area), \(weight), "
            + "\(part.outputs), \(norm), thread, threads);")
        biasOffset =
          depthwise ? op.kernel.area * width : PlanMemory.roundUp(part.outputs * perGroup * op.kernel.area)
      }
      if op.groups > 1, case .convDirect = kernel, let phaseNorm = op.epilogue.phaseNorm {
        preconditionFailure("a normalisation by phase after groups: \(phaseNorm)")
      }
      // What sums start from has the bias already; its place stays, so that a normalisation by phase lies where it always does.
      if !op.epilogue.addsAccumulator {
        lines.append(
          "pack_bias(weights + \(block.offset + biasOffset), \(bias), \(first), \(part.outputs), \(norm), thread, threads);"
        )
      }
      if let phaseNorm = op.epilogue.phaseNorm {
        lines += packPhases(
          phaseNorm, channels: node.shape.channels, scales: block.offset + biasOffset + width,
          shifts: block.offset + biasOffset + 5 * width, width: width, &needed)
      }
      first += part.outputs
    }
    return lines
  }

  /// Which inputs of the weights each segment shows.
  private func views(_ segments: [Segment]) -> String {
    "(const input_view[]){"
      + segments.map { "{\($0.channels), \($0.target), \($0.targetStride)}" }.joined(separator: ", ") + "}"
  }

  private func shiftedNorm(_ norm: Op.BatchNorm?, by offset: Int) -> String {
    guard let norm else { return "&(batch_norm){0}" }
    return "&(batch_norm){\(tensor(norm.weight)) + \(offset), \(tensor(norm.bias)) + \(offset), "
      + "\(tensor(norm.runningMean)) + \(offset), \(tensor(norm.runningVariance)) + \(offset), \(norm.epsilon)}"
  }

  private func packNorm(
    _ node: Node, _ op: Op.BatchNorm, _ block: Plan.PackedBlock, _ needed: inout Set<String>
  ) -> [String] {
    let width = (node.shape.channels + channelBlock - 1) / channelBlock * channelBlock
    if op.enclosing != nil {
      return packPhases(
        op, channels: node.shape.channels, scales: block.offset + width, shifts: block.offset + 5 * width, width: width,
        &needed)
    }
    needed.insert("pack_norm")
    return [
      "pack_norm(weights + \(block.offset), weights + \(block.offset + width), \(width), \(node.shape.channels), 1, "
        + "(const int[]){0}, (const int[]){1}, \(norm(op)), thread, threads);"
    ]
  }

  private func packPhases(
    _ op: Op.BatchNorm, channels: Int, scales: Int, shifts: Int, width: Int, _ needed: inout Set<String>
  ) -> [String] {
    needed.insert("pack_norm")
    guard let enclosing = op.enclosing else { preconditionFailure("a normalisation by phase without a space-to-depth") }
    let sequences = [(0, 0), (0, 1), (1, 0), (1, 1)].map {
      enclosing.outputChannels(rowPhase: $0.0, columnPhase: $0.1, of: channels)
    }
    return [
      "pack_norm(weights + \(scales), weights + \(shifts), \(width), \(channels), 4, "
        + "(const int[]){\(list(sequences.map(\.first)))}, (const int[]){\(list(sequences.map(\.stride)))}, \(norm(op)), thread, threads);"
    ]
  }

  private func packAnchors(_ op: Op.DecodeBoxes, _ block: Plan.PackedBlock) -> [String] {
    op.strides.enumerated().map { level, stride in
      let count = op.anchorsPerLevel * 2
      return
        "for (int i = share(\(count), thread, threads); i < share(\(count), thread + 1, threads); i++) weights[\(block.offset + level * count) + i] = "
        + "\(tensor(op.anchors))[\(level * count) + i] * \(stride).0f;"
    }
  }

  private func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }
}
