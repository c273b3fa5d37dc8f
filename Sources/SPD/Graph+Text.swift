/// The textual form of a graph, one node per line:
///
///     %5 = conv2d(%3[::2,::2], %3[1::2,::2]) k=3 p=1 96→48 +silu      48×160×160
///
/// Tests compare it with literals, `--dump-after` prints it, and generated C carries it above each function.
extension Graph {
  public var text: String {
    var lines = nodes.map { node in
      let left = "%\(node.id) = \(expression(of: node))"
      let padding = String(repeating: " ", count: max(2, 64 - left.count))
      return left + padding + "\(node.shape)"
    }
    lines.append("return " + outputs.map(text(of:)).joined(separator: ", "))
    return lines.joined(separator: "\n") + "\n"
  }

  /// Without the result's number and shape: `conv2d(%3) k=3 p=1 48→96 +silu`.
  public func expression(of node: Node) -> String {
    let operands = node.inputs.map(text(of:)).joined(separator: ", ")
    let attributes = node.op.attributes(inputChannels: node.inputs.first.map { shape(of: $0).channels })
    let destinations = (node.destinations ?? []).map { ($0.adds ? " +→ " : " → ") + text(of: $0) }.joined()
    return "\(node.op.name)(\(operands))" + (attributes.isEmpty ? "" : " " + attributes) + destinations
  }

  private func text(of destination: Destination) -> String { text(of: Operand(segments: destination.segments)) }

  func text(of operand: Operand) -> String {
    var target = 0
    return operand.segments.map { segment in
      defer { target += segment.channels }
      return text(of: segment, expected: target)
    }.joined(separator: " ++ ")
  }

  /// - Parameter expected: where its channels go if they follow those of the segment before it.
  private func text(of segment: Segment, expected: Int) -> String {
    var result = "%\(segment.node)"
    let source = self[segment.node].shape
    if segment.first != 0 || segment.channels != source.channels {
      result += "{\(segment.first)..<\(segment.first + segment.channels)}"
    }
    if segment.step != 1 {
      func index(_ phase: Int) -> String { (phase == 0 ? "" : "\(phase)") + "::\(segment.step)" }
      result += "[\(index(segment.rowPhase)),\(index(segment.columnPhase))]"
    }
    if segment.upsampling != 1 { result += "^\(segment.upsampling)" }
    if segment.targetStride != 1 {
      result += "→\(segment.target)::\(segment.targetStride)"
    } else if segment.target != expected {
      result += "→\(segment.target)"
    }
    return result
  }
}

extension Op {
  /// As in the textual form, snake_case.
  public var name: String {
    switch self {
    case .input: "input"
    case .convolution: "conv2d"
    case .batchNorm: "batch_norm"
    case .activation(let activation): activation.name
    case .add: "add"
    case .concat: "concat"
    case .slice: "slice"
    case .spaceToDepth: "space_to_depth"
    case .upsample: "upsample"
    case .pool(let pool): pool.kind == .max ? "max_pool" : "average_pool"
    case .globalAveragePool: "global_average_pool"
    case .flatten: "flatten"
    case .linear: "linear"
    case .softmax: "softmax"
    case .decodeBoxes: "decode_boxes"
    case .copy: "copy"
    case .training(let op): op.name
    }
  }

  /// Names of the parameters it reads.
  public var parameterNames: [String] {
    switch self {
    case .convolution(let op):
      op.parts.flatMap { [$0.weight] + [$0.bias].compactMap { $0 } + ($0.batchNorm?.parameterNames ?? []) }
        + (op.epilogue.stages.phaseNorm?.parameterNames ?? []) + op.epilogue.stages.activations.compactMap(\.parameter)
    case .activation(let activation): [activation.parameter].compactMap { $0 }
    case .batchNorm(let op): op.parameterNames
    case .linear(let op): [op.weight] + [op.bias].compactMap { $0 }
    case .decodeBoxes(let op): [op.anchors]
    case .training(let op): op.parameterNames
    default: []
    }
  }

  fileprivate func attributes(inputChannels: Int?) -> String {
    switch self {
    case .convolution(let op):
      var words = ["k=\(op.kernel)"]
      if op.stride != 1 { words.append("s=\(op.stride)") }
      if op.padding != 0 { words.append("p=\(op.padding)") }
      if op.dilation != 1 { words.append("d=\(op.dilation)") }
      if let adjoint = op.adjoint { words.append("adjoint=\(adjoint.rows)×\(adjoint.columns)") }
      if op.groups != 1 { words.append("g=\(op.groups)") }
      words.append(
        "\(inputChannels ?? 0)" + (op.totalInputChannels.map { "/\($0)" } ?? "") + "→"
          + op.parts.map { "\($0.outputs)" }.joined(separator: "+"))
      if op.parts.contains(where: { $0.batchNorm != nil }) { words.append("*bn") }
      if op.epilogue.addsAccumulator { words.append("+accumulator") }
      words += op.epilogue.stages.map(\.text)
      return words.joined(separator: " ")
    case .batchNorm(let op): return op.enclosing.map { "enclosing=\($0.text)" } ?? ""
    case .slice(let first, let count): return "\(first)..<\(first + count)"
    case .spaceToDepth(let op): return op.text
    case .upsample(let factor): return "x\(factor)"
    case .pool(let op):
      return "k=\(op.kernel)" + (op.stride == 1 ? "" : " s=\(op.stride)") + (op.padding == 0 ? "" : " p=\(op.padding)")
    case .linear(let op): return "\(inputChannels ?? 0)→\(op.outputs)"
    case .decodeBoxes(let op):
      return "classes=\(op.classes) strides=" + op.strides.map { "\($0)" }.joined(separator: ",")
    case .training(let op): return op.attributes
    default: return ""
    }
  }
}

extension Op.BatchNorm {
  var parameterNames: [String] { [weight, bias, runningMean, runningVariance] }
}

extension Op.SpaceToDepth {
  var text: String { "scale=\(scale) order=\(order.rawValue)" }
}

extension Op.Training {
  var name: String {
    switch self {
    case .statistics: "statistics"
    case .normalize: "normalize"
    case .loss(.crossEntropy): "cross_entropy"
    case .loss(.yolo): "yolo_loss"
    case .loss(.composed): "composed_loss"
    case .gradient: "gradient"
    case .weightGradient: "weight_gradient"
    case .batchNormBackwardReduce: "batch_norm_backward_reduce"
    case .normalizeGradient: "normalize_gradient"
    case .activationGradient: "activation_gradient"
    case .poolGradient: "pool_gradient"
    case .globalAverageGradient: "global_average_gradient"
    case .copyGradient: "copy_gradient"
    }
  }

  var parameterNames: [String] {
    switch self {
    case .statistics(let norm): norm.parameterNames
    case .normalize(let op), .batchNormBackwardReduce(let op), .normalizeGradient(let op): op.norm?.parameterNames ?? []
    case .weightGradient(let op): Op.convolution(op).parameterNames
    case .activationGradient(let activation): [activation.parameter].compactMap { $0 }
    case .loss(.yolo(let op)): [op.anchors]
    default: []
    }
  }

  fileprivate var attributes: String {
    switch self {
    case .statistics(let norm): norm.enclosing.map { "enclosing=\($0.text)" } ?? ""
    case .normalize(let op), .batchNormBackwardReduce(let op), .normalizeGradient(let op): op.text
    case .gradient(let node, let isCleared): "of=%\(node)" + (isCleared ? " cleared" : "")
    case .weightGradient(let op): "k=\(op.kernel) \(op.parts[0].weight)"
    case .activationGradient(let activation): activation.name
    case .loss(.composed(let loss)): "\(loss.average == .images ? "sum" : "mean") \(loss)"
    default: ""
    }
  }
}

extension Op.Stage {
  fileprivate var text: String {
    switch self {
    case .normalizeByPhase: "*phase_bn"
    case .activate(let activation): "+\(activation.name)"
    case .add: "+residual"
    case .gatherStatistics: "+statistics"
    }
  }
}

extension Op.Normalize {
  fileprivate var text: String {
    var words: [String] = []
    if let norm { words.append("*bn" + (norm.enclosing.map { " enclosing=\($0.text)" } ?? "")) }
    return (words + stages.map(\.text)).joined(separator: " ")
  }
}
