/// A graph that breaks a rule of the representation: a fault in a pass or in a hand-written graph file.
public struct GraphError: Error, CustomStringConvertible, Equatable, Sendable {
  public var description: String
  public init(_ description: String) { self.description = description }
}

extension Graph {
  /// Checks that every node reads only earlier results, inside of their bounds, that shapes and parameters agree, that
  /// names are made of their alphabet, and that no size is beyond `GraphLimits`.
  ///
  /// - Throws: `GraphError` naming the node, or the place in the graph file.
  public func verify() throws(GraphError) {
    try verifyNames()
    try verifyParameters()
    guard nodes.count <= GraphLimits.nodes else {
      throw GraphError("a graph has at most \(GraphLimits.nodes) nodes, not \(nodes.count)")
    }
    guard (1...GraphLimits.extent).contains(classes) else {
      throw GraphError("a graph has 1 to \(GraphLimits.extent) classes, not \(classes)")
    }
    if let preprocessing, !preprocessing.isValid {
      throw GraphError("preprocessing needs three finite values each for mean and std, and every std above 0")
    }
    if let classNames, classNames.count > classes {
      throw GraphError("there are \(classNames.count) class names, but \(classes) classes")
    }
    guard nodes.filter({ $0.op == .input }).count == 1 else { throw GraphError("a graph has exactly one input") }
    let known = Dictionary(parameters.map { ($0.name, $0) }, uniquingKeysWith: { a, _ in a })
    var earlier: [Node.ID: Node] = [:]
    for node in nodes {
      let place = place(of: node)
      guard (0...Int(Int32.max)).contains(node.id) else {
        throw GraphError("\(place) has no number from 0 to 2147483647")
      }
      guard earlier.updateValue(node, forKey: node.id) == nil else { throw GraphError("\(place) is there twice") }
      let s = node.shape
      do {
        try s.checkLimits()
      } catch {
        throw GraphError("\(place) has the shape \(s.batch)×\(s)")
      }
      for name in node.op.parameterNames {
        guard let parameter = known[name] else {
          throw GraphError(
            "\(place) reads the parameter \(name.isLayerName ? name : name.quotedForMessage), which the graph does not list"
          )
        }
        guard parameter.role != .batchesTracked else {
          throw GraphError("\(place) reads the parameter \(name), which only counts batches")
        }
      }
      if node.op == .input {
        guard node.inputs.isEmpty else { throw GraphError("\(place): an input reads nothing") }
        continue
      }
      var shapes: [Shape] = []
      for (index, operand) in node.inputs.enumerated() {
        var channels: Int?
        if index == 0, case .convolution(let op) = node.op { channels = op.totalInputChannels }
        shapes.append(try shape(of: operand, in: earlier, reader: node.id, channels: channels, place: place))
      }
      if try checkDestinations(of: node, seenBefore: earlier, place: place) { continue }
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
    try verifyOutputs(earlier)
    guard loss?.isWellFormed ?? true else {
      throw GraphError("the loss has a term that reads none before it, or a constant that is not finite")
    }
    guard loss?.values.terms.count ?? 0 <= GraphLimits.lossTerms else {
      throw GraphError("a loss has at most \(GraphLimits.lossTerms) terms, not \(loss?.values.terms.count ?? 0)")
    }
  }

  /// A node in a message.
  func place(of node: Node) -> String {
    let name = node.op.name
    return "%\(node.id) (\(name.isLayerName ? name : name.quotedForMessage) \(node.layer), \(node.source))"
  }

  private func verifyParameters() throws(GraphError) {
    guard parameters.count <= GraphLimits.parameters else {
      throw GraphError("a graph has at most \(GraphLimits.parameters) parameters, not \(parameters.count)")
    }
    var names: Set<String> = []
    for parameter in parameters {
      guard names.insert(parameter.name).inserted else { throw GraphError("parameter \(parameter.name) twice") }
      guard parameter.shape.count <= 4, let count = GraphLimits.count(parameter.shape) else {
        throw GraphError("parameter \(parameter.name) has shape \(parameter.shape)")
      }
      if case .constant(let values) = parameter.role {
        guard values.count == count, values.allSatisfy(\.isFinite) else {
          throw GraphError("parameter \(parameter.name) needs \(count) finite values, but \(values.count) are given")
        }
      }
    }
  }

  private func verifyOutputs(_ nodes: [Node.ID: Node]) throws(GraphError) {
    guard !outputs.isEmpty else { throw GraphError("a graph without output") }
    var boxes: Set<Node.ID> = []
    for output in outputs {
      _ = try shape(of: output, in: nodes, reader: nil, channels: nil, place: "the output")
      for segment in output.segments {
        guard let node = nodes[segment.node], case .decodeBoxes = node.op else { continue }
        guard output == Operand(node), boxes.insert(node.id).inserted else {
          throw GraphError("\(place(of: node)) is returned whole and once: the boxes go straight to the caller")
        }
      }
    }
  }

  /// The shape of the tensor that an operand shows its reader, all of whose views are checked.
  ///
  /// - Parameters:
  ///   - reader: nil for what the network returns.
  ///   - channels: of the tensor that the operand shows, where it shows only a part of it.
  private func shape(
    of operand: Operand, in nodes: [Node.ID: Node], reader: Node.ID?, channels: Int?, place: String
  ) throws(GraphError) -> Shape {
    guard !operand.segments.isEmpty else { throw GraphError("\(place) reads an empty operand") }
    var shown: Shape?
    var count = 0
    for segment in operand.segments {
      guard segment.node != reader, let node = nodes[segment.node] else {
        throw GraphError("\(place) reads %\(segment.node), which does not come before it")
      }
      let source = node.shape
      let outside = GraphError("\(place) reads outside of %\(segment.node), which is \(source)")
      guard (0..<source.channels).contains(segment.first),
        (1...source.channels - segment.first).contains(segment.channels),
        (1...GraphLimits.extent).contains(segment.step), (1...GraphLimits.extent).contains(segment.upsampling),
        (0..<segment.step).contains(segment.rowPhase), (0..<segment.step).contains(segment.columnPhase),
        source.height % segment.step == 0, source.width % segment.step == 0,
        (0..<GraphLimits.extent).contains(segment.target), (1...GraphLimits.extent).contains(segment.targetStride)
      else { throw outside }
      if reader != nil, case .decodeBoxes = node.op {
        throw GraphError("\(place) reads %\(segment.node), whose boxes go straight to the caller")
      }
      let size = segment.size(of: source.size)
      let seen = Shape(batch: source.batch, channels: 1, height: size.height, width: size.width)
      guard shown == nil || shown == seen else { throw GraphError("\(place) joins views of different sizes") }
      shown = seen
      count += segment.channels
    }
    var shape = shown!
    shape.channels = count
    guard (try? shape.checkLimits()) != nil else { throw GraphError("\(place) reads \(shape.batch)×\(shape)") }
    guard operand.fills(channels ?? count) else {
      throw GraphError("\(place) reads views whose channels overlap or leave gaps")
    }
    return shape
  }
}

extension Operand {
  /// Whether every channel that the reader sees comes from one segment; a part of a tensor may leave gaps.
  fileprivate func fills(_ channels: Int) -> Bool {
    guard (1...GraphLimits.extent).contains(channels),
      segments.allSatisfy({ $0.target + ($0.channels - 1) * $0.targetStride < channels })
    else { return false }
    var end = 0
    if segments.allSatisfy({ $0.targetStride == 1 }) {
      for segment in segments.sorted(by: { $0.target < $1.target }) {
        guard segment.target >= end else { return false }
        end = segment.target + segment.channels
      }
      return true
    }
    var isTaken = [Bool](repeating: false, count: channels)
    for segment in segments {
      for target in stride(from: segment.target, to: channels, by: segment.targetStride).prefix(segment.channels) {
        guard !isTaken[target] else { return false }
        isTaken[target] = true
      }
    }
    return true
  }
}

extension Op {
  /// How many values each parameter must have that shape inference does not look at.
  fileprivate func parameterCounts(channels: Int) -> [(name: String, count: Int)] {
    func norm(_ norm: BatchNorm, _ channels: Int) -> [(String, Int)] {
      norm.parameterNames.map { ($0, channels * norm.phases) }
    }
    switch self {
    case .convolution(let op):
      var counts: [(String, Int)] = []
      for part in op.parts {
        if let bias = part.bias { counts.append((bias, part.outputs)) }
        if let batchNorm = part.batchNorm { counts += norm(batchNorm, part.outputs) }
      }
      if let phaseNorm = op.epilogue.stages.phaseNorm { counts += norm(phaseNorm, op.outputs) }
      return counts
    case .batchNorm(let op): return norm(op, channels)
    case .linear(let op): return op.bias.map { [($0, op.outputs)] } ?? []
    case .decodeBoxes(let op): return [(op.anchors, op.strides.count * op.anchorsPerLevel * 2)]
    default: return []
    }
  }
}
