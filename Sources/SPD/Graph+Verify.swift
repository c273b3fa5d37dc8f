/// A graph that breaks a rule of the representation: a fault in a pass or in a hand-written graph file.
public struct GraphError: Error, CustomStringConvertible, Equatable, Sendable {
  public var description: String
  public init(_ description: String) { self.description = description }
}

extension Graph {
  /// Checks that every node reads only earlier results, inside of their bounds, and that shapes and parameters agree.
  ///
  /// - Throws: `GraphError` naming the node.
  public func verify() throws(GraphError) {
    var seen: Set<Node.ID> = []
    var names: Set<String> = []
    for parameter in parameters {
      guard names.insert(parameter.name).inserted else { throw GraphError("parameter \(parameter.name) twice") }
      guard parameter.shape.allSatisfy({ $0 > 0 }), isPlausible(parameter.shape) else {
        throw GraphError("parameter \(parameter.name) has shape \(parameter.shape)")
      }
    }
    guard nodes.filter({ $0.op == .input }).count == 1 else { throw GraphError("a graph has exactly one input") }
    let known = Dictionary(parameters.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    for node in nodes {
      let place = "%\(node.id) (\(node.op.name) \(node.layer), \(node.source))"
      guard seen.insert(node.id).inserted else { throw GraphError("\(place) is there twice") }
      let s = node.shape
      guard s.batch > 0, s.channels > 0, s.height > 0, s.width > 0,
        isPlausible([s.batch, s.channels, s.height, s.width])
      else {
        throw GraphError("\(place) has the shape \(s.batch)×\(s)")
      }
      for name in node.op.parameterNames where known[name] == nil {
        throw GraphError("\(place) reads the parameter \(name), which the graph does not list")
      }
      if node.op == .input { continue }
      for (index, operand) in node.inputs.enumerated() {
        var channels = operand.channels
        if index == 0, case .convolution(let op) = node.op { channels = op.weightInputs ?? channels }
        try check(operand, seenBefore: seen, reader: node.id, channels: channels, place: place)
      }
      let shapes = node.inputs.map { shape(of: $0) }
      if try checkDestinations(of: node, seenBefore: seen, place: place) { continue }
      let inferred: Shape
      do {
        inferred = try node.op.outputShape(shapes) { known[$0] }
      } catch {
        throw GraphError("\(place): \(error)")
      }
      guard inferred == node.shape else {
        throw GraphError("\(place) says \(node.shape), but its inputs give \(inferred)")
      }
      for (name, count) in node.op.parameterCounts(channels: shapes[0].channels) where known[name]?.count != count {
        throw GraphError("\(place) needs \(count) values of \(name), which is \(known[name]?.shape ?? [])")
      }
    }
    guard !outputs.isEmpty else { throw GraphError("a graph without output") }
    guard loss?.isWellFormed ?? true else {
      throw GraphError("the loss has a term that reads none in front of it, or a constant that is not finite")
    }
    for output in outputs {
      try check(output, seenBefore: seen, reader: nil, channels: output.channels, place: "the output")
    }
  }

  /// Not more values than any machine has memory for, and nothing that overflows on the way to knowing.
  private func isPlausible(_ shape: [Int]) -> Bool {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= 1 << 40 else { return false }
      count = product
    }
    return true
  }

  /// - Parameter channels: of the tensor that the operand shows; more than the operand's own for a part of one.
  private func check(
    _ operand: Operand, seenBefore: Set<Node.ID>, reader: Node.ID?, channels: Int, place: String
  ) throws(GraphError) {
    guard !operand.segments.isEmpty else { throw GraphError("\(place) reads an empty operand") }
    var size: Size2D?
    for segment in operand.segments {
      guard segment.node != reader, seenBefore.contains(segment.node) else {
        throw GraphError("\(place) reads %\(segment.node), which does not come before it")
      }
      let source = self[segment.node].shape
      guard segment.first >= 0, segment.channels > 0, segment.first + segment.channels <= source.channels,
        segment.step >= 1, segment.upsampling >= 1, (0..<segment.step).contains(segment.rowPhase),
        (0..<segment.step).contains(segment.columnPhase), source.height % segment.step == 0,
        source.width % segment.step == 0, segment.target >= 0, segment.targetStride >= 1
      else {
        throw GraphError("\(place) reads outside of %\(segment.node), which is \(source)")
      }
      let seen = segment.size(of: source.size)
      guard size == nil || size == seen else { throw GraphError("\(place) joins views of different sizes") }
      size = seen
    }
    // Every channel that the reader sees comes from exactly one segment; a part of a tensor may leave gaps.
    let targets = operand.segments.flatMap { s in (0..<s.channels).map { s.target + $0 * s.targetStride } }
    guard Set(targets).count == targets.count, targets.allSatisfy({ $0 < channels }) else {
      throw GraphError("\(place) reads views whose channels overlap or leave gaps")
    }
  }
}

extension Op {
  /// How many values each parameter must have that shape inference does not look at.
  fileprivate func parameterCounts(channels: Int) -> [(name: String, count: Int)] {
    func norm(_ norm: BatchNorm, _ channels: Int) -> [(String, Int)] {
      let phases = norm.behind.map { $0.scale * $0.scale } ?? 1
      return norm.parameterNames.map { ($0, channels * phases) }
    }
    switch self {
    case .convolution(let op):
      var counts: [(String, Int)] = []
      for part in op.parts {
        if let bias = part.bias { counts.append((bias, part.outputs)) }
        if let batchNorm = part.batchNorm { counts += norm(batchNorm, part.outputs) }
      }
      if let phaseNorm = op.epilogue.phaseNorm { counts += norm(phaseNorm, op.outputs) }
      return counts
    case .batchNorm(let op): return norm(op, channels)
    case .linear(let op): return op.bias.map { [($0, op.outputs)] } ?? []
    case .decodeBoxes(let op): return [(op.anchors, op.strides.count * op.anchorsPerLevel * 2)]
    default: return []
    }
  }
}
