import SPD

/// Decides for each gradient which of its writers come first: they store, later ones add, and where none of them writes
/// everything before another adds to it, the memory is cleared.
enum AssignGradientWriters {
  static func run(_ graph: inout Graph) {
    moveToFirstWriters(&graph)
    for node in graph.nodes {
      guard case .training(.gradient(let source, _)) = node.op else { continue }
      var coverage = Coverage(node.shape, step: commonStep(of: node.id, in: graph))
      var isCleared = false
      for position in graph.nodes.indices {
        for index in (graph.nodes[position].destinations ?? []).indices {
          let segments = graph.nodes[position].destinations![index].segments
          guard segments.contains(where: { $0.node == node.id }) else { continue }
          // The gradient of a copy writes channels and leaves the lanes after the last one.
          let isCopy = graph.nodes[position].op == .training(.copyGradient)
          let wholeBlocks =
            segments.allSatisfy { coverage.isWholeBlocks($0, withTail: !isCopy) } && !coverage.overlap(segments)
          let before = coverage.count(segments)
          let adds = before > 0 || !wholeBlocks
          if adds, before < coverage.size(segments) { isCleared = true }
          graph.nodes[position].destinations![index].adds = adds
          coverage.cover(segments)
        }
      }
      if !coverage.isComplete { isCleared = true }
      graph[node.id].op = .training(.gradient(of: source, isCleared: isCleared))
    }
  }

  /// Memory is needed from the first writer on; of a gradient that has none, because all that was read was padding, from the first
  /// reader on, which reads zeros.
  private static func moveToFirstWriters(_ graph: inout Graph) {
    var gradients: [Node.ID: Node] = [:]
    for node in graph.nodes { if case .training(.gradient) = node.op { gradients[node.id] = node } }
    var nodes: [Node] = []
    for node in graph.nodes {
      if case .training(.gradient) = node.op { continue }
      for segment in (node.destinations ?? []).flatMap(\.segments) + node.inputs.flatMap(\.segments) {
        if let gradient = gradients.removeValue(forKey: segment.node) { nodes.append(gradient) }
      }
      nodes.append(node)
    }
    graph.nodes = nodes
  }

  private static func commonStep(of gradient: Node.ID, in graph: Graph) -> Int {
    var step = 1
    for segment in graph.nodes.flatMap({ $0.destinations ?? [] }).flatMap(\.segments) where segment.node == gradient {
      if step % segment.step != 0 { step *= segment.step }
    }
    return step
  }

  /// Which channels of which phases have been written.
  private struct Coverage {
    let channels: Int
    let step: Int
    var isWritten: [Bool]

    init(_ shape: Shape, step: Int) {
      channels = shape.channels
      self.step = step
      isWritten = Array(repeating: false, count: shape.channels * step * step)
    }

    var isComplete: Bool { isWritten.allSatisfy { $0 } }

    /// - Parameter tail: the writer fills up the last block of the tensor.
    func isWholeBlocks(_ segment: Segment, withTail tail: Bool) -> Bool {
      let end = segment.first + segment.channels
      return segment.first % channelBlock == 0 && (end % channelBlock == 0 || tail && end == channels)
    }

    private func cells(_ segment: Segment) -> [Int] {
      var result: [Int] = []
      for row in 0..<step where row % segment.step == segment.rowPhase {
        for column in 0..<step where column % segment.step == segment.columnPhase {
          let plane = (row * step + column) * channels
          result += (segment.first..<segment.first + segment.channels).map { plane + $0 }
        }
      }
      return result
    }

    func count(_ segments: [Segment]) -> Int {
      segments.reduce(0) { $0 + cells($1).reduce(0) { $0 + (isWritten[$1] ? 1 : 0) } }
    }

    func size(_ segments: [Segment]) -> Int { segments.reduce(0) { $0 + cells($1).count } }

    /// Whether some value would be stored twice.
    func overlap(_ segments: [Segment]) -> Bool { Set(segments.flatMap(cells)).count < size(segments) }

    mutating func cover(_ segments: [Segment]) {
      for segment in segments { for cell in cells(segment) { isWritten[cell] = true } }
    }
  }
}
