import SPD

// Packing: the statements that bring the parameters into the kernels' order.
extension EmitC {
  struct Packing {
    var functions = ""
    var calls = ""
  }

  /// Calls that pack a node's parameters, and the templates of what they call.
  struct PackingStatements {
    var templates: Set<String> = []
    var lines: [String] = []

    init(templates: Set<String> = [], lines: [String] = []) { (self.templates, self.lines) = (templates, lines) }

    init(_ template: String, _ line: String) { self.init(templates: [template], lines: [line]) }

    static func += (a: inout Self, b: Self) {
      a.templates.formUnion(b.templates)
      a.lines += b.lines
    }
  }

  func emitPacking() throws -> Packing {
    let stored = graph.storedParameters
    var needed: Set<String> = []
    var calls: [String] = []
    for block in plan.packed {
      let node = graph[block.node]
      guard let kernel = plan.steps.first(where: { $0.node == node.id })?.kernel.module as? any PackingKernel else {
        preconditionFailure("\(node.op.name) has nothing to pack")
      }
      let packing = kernel.packing(of: node, to: block, in: self)
      needed.formUnion(packing.templates)
      calls.append(packing.lines.joined(separator: "\n") + " /* %\(node.id) \(CText.comment(node.layer)) */\n")
    }
    var result = Packing()
    result.functions = try templates.fill(
      "parameters",
      [
        "PREFIX": prefix, "UPPER": upper, "GRAPH_HASH": hex(graph.parameterHash),
        "TENSORS": tensorTable(stored),
        "VARIANCES": (variances(stored) + ["{-1, 0.0}"]).joined(separator: ", "),
      ])
    for template in [
      "pack_direct", "pack_winograd", "pack_image", "pack_grouped", "pack_bias", "pack_norm", "pack_parameter",
    ]
    where needed.contains(template) {
      result.functions += "\n" + (try templates.fill(template, [:]))
    }
    result.calls = calls.joined()
    return result
  }

  /// Name hash and count of each tensor, with those of one layer in a line.
  private func tensorTable(_ stored: [Parameter]) -> String {
    var lines: [(layer: Substring, entries: [String], names: [Substring])] = []
    for parameter in stored {
      let end = parameter.name.lastIndex(of: ".") ?? parameter.name.startIndex
      let layer = parameter.name[..<end]
      if lines.last?.layer != layer { lines.append((layer, [], [])) }
      lines[lines.count - 1].entries.append("{\(hex(fnv1a(parameter.name.utf8)))u, \(parameter.count)},")
      lines[lines.count - 1].names.append(parameter.name[end...].drop { $0 == "." })
    }
    return lines.map { line in
      "\(line.entries.joined(separator: " ")) /* \(CText.comment("\(line.layer): \(line.names.joined(separator: ", "))")) */"
    }.joined(separator: "\n    ")
  }

  /// The running variances that are folded, each with its epsilon.
  private func variances(_ stored: [Parameter]) -> [String] {
    let norms = graph.nodes.flatMap { node -> [Op.BatchNorm] in
      switch node.op {
      case .convolution(let op): op.parts.compactMap(\.batchNorm) + [op.epilogue.stages.phaseNorm].compactMap { $0 }
      case .batchNorm(let norm): [norm]
      case .input, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten,
        .linear, .softmax, .decodeBoxes, .copy, .training:
        []
      }
    }
    return norms.compactMap { norm in
      stored.firstIndex { $0.name == norm.runningVariance }.map { "{\($0), \(norm.epsilon)}" }
    }
  }

  func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// The C expression of a parameter's values.
  func tensor(_ name: String) -> String {
    guard let index = graph.storedParameters.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("no stored parameter \(name)")
    }
    return "tensor(parameters, \(index))"
  }

  /// The C expression of a normalisation that is folded, from channel `first` on.
  func norm(_ norm: Op.BatchNorm?, from first: Int? = nil) -> String {
    guard let norm else { return "&(batch_norm){0}" }
    let tensors = [norm.weight, norm.bias, norm.runningMean, norm.runningVariance].map { name in
      tensor(name) + (first.map { " + \($0)" } ?? "")
    }
    return "&(batch_norm){\(tensors.joined(separator: ", ")), \(norm.epsilon)}"
  }

  /// Which inputs of the weights each segment shows.
  func views(_ segments: [Segment]) -> String {
    "(const input_view[]){"
      + segments.map { "{\($0.channels), \($0.target), \($0.targetStride)}" }.joined(separator: ", ") + "}"
  }

  /// Scales, then shifts of a normalisation whose channels are those of the four phases of a space-to-depth.
  func packPhases(_ op: Op.BatchNorm, channels: Int, to address: String, width: Int) -> PackingStatements {
    guard let enclosing = op.enclosing else { preconditionFailure("a normalisation by phase without a space-to-depth") }
    let sequences = [(0, 0), (0, 1), (1, 0), (1, 1)].map {
      enclosing.outputChannels(rowPhase: $0.0, columnPhase: $0.1, of: channels)
    }
    return PackingStatements(
      "pack_norm",
      "pack_norm(\(address), \(address) + \(4 * width), \(width), \(channels), 4, "
        + "(const int[]){\(list(sequences.map(\.first)))}, (const int[]){\(list(sequences.map(\.stride)))}, \(norm(op)), thread, threads);"
    )
  }

  /// A value for each channel.
  func packParameter(of activation: Op.Activation, channels: Int, to address: String) -> PackingStatements {
    PackingStatements(
      "pack_parameter",
      "pack_parameter(\(address), \(tensor(activation.parameter!)), \(count(activation)), \(channels), thread, threads);"
    )
  }

  /// The same in every step of training.
  func packTrainingParameter(of activation: Op.Activation, _ node: Node) -> String {
    "pack_parameter(\(packedAddress(node.id)), \(value(activation.parameter!)), \(count(activation)), \(node.shape.channels), "
      + "thread, threads);\n"
  }

  private func count(_ activation: Op.Activation) -> Int { graph.parameter(activation.parameter!)!.count }

  func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }
}
