import SPD

/// Recomputes results in the backward pass instead of keeping them until then (activation checkpointing).
///
///     %3 = normalize(%1, %2)
///     %4 = conv2d(%3)
///     …
///     %9 = weight_gradient(%3, %8)
/// becomes
///     %3 = normalize(%1, %2)
///     %4 = conv2d(%3)
///     …
///     %10 = normalize(%1, %2)
///     %9 = weight_gradient(%10, %8)
///
/// A normalised result costs one pass over memory, and what it is made of is kept anyway: so all of them are computed
/// again, as far as that needs no long chain of others. So are convolutions of so few inputs that they cost about as much.
/// Others, which cost arithmetic, follow where memory is short, those first that free most bytes for their work.
extension Pass {
  /// - Parameter convolutions: how many convolutions are recomputed, if more than those that cost no more than a pass
  ///   over memory.
  static func recompute(convolutions: Int) -> Pass {
    Pass("recompute", .fusion, modes: [.training]) { graph, remarks in
      guard let loss = graph.nodes.firstIndex(where: { $0.op.isLoss }) else { return }
      var recompute = Recompute(graph, loss: loss)
      recompute.choose(convolutions)
      recompute.run()
      remarks += graph.nodes.filter { recompute.chosen.contains($0.id) }.map {
        Remark("recompute", $0, fired: true, "recomputed in the backward pass")
      }
      graph = recompute.graph
    }
  }
}

extension Graph {
  /// How many convolutions `recompute` can compute again.
  public var recomputableConvolutions: Int {
    nodes.firstIndex { $0.op.isLoss }.map { Recompute(self, loss: $0).convolutions.count } ?? 0
  }
}

private struct Recompute {
  var graph: Graph
  let loss: Int
  private(set) var chosen: Set<Node.ID> = []
  private var again: [Node.ID: Node.ID] = [:]
  private var nextID: Node.ID

  /// Results in a row that each need the one before: what is recomputed early waits for its turn in memory.
  private static let longestChain = 4

  init(_ graph: Graph, loss: Int) {
    self.graph = graph
    self.loss = loss
    nextID = graph.nextID
  }

  /// Multiplications and additions for a number of a result that take as long as reading it and what it is made of.
  private static let cheap = 128.0

  private func work(_ node: Node) -> Double { Double(graph.cost(of: node).flops) / Double(node.shape.count) }

  /// Convolutions of the forward pass whose results the backward pass reads, most bytes for their work first.
  var convolutions: [Node] {
    let read = Set(graph.nodes[loss...].flatMap(\.inputs).flatMap(\.segments).map(\.node))
    let all = graph.nodes[..<loss].filter { node in
      guard case .convolution = node.op else { return false }
      // Nothing is gained where a result is read at once.
      return read.contains(node.id) && !graph.nodes[loss].inputs.flatMap(\.segments).contains { $0.node == node.id }
    }
    return all.enumerated().sorted { (work($0.element), $0.offset) < (work($1.element), $1.offset) }.map(\.element)
  }

  mutating func choose(_ count: Int) {
    let all = convolutions
    let cheap = all.prefix { work($0) <= Self.cheap }.count
    let convolutions = Set(all.prefix(max(count, cheap)).map(\.id))
    var depth: [Node.ID: Int] = [:]
    for node in graph.nodes[..<loss] {
      let isNormalization = if case .training(.normalize) = node.op { true } else { false }
      guard isNormalization || convolutions.contains(node.id) else { continue }
      let chain = 1 + node.inputs.flatMap(\.segments).reduce(0) { max($0, depth[$1.node] ?? 0) }
      guard chain <= Self.longestChain else { continue }
      depth[node.id] = chain
      chosen.insert(node.id)
    }
  }

  mutating func run() {
    let backward = graph.nodes[(loss + 1)...]
    graph.nodes.removeSubrange((loss + 1)...)
    for node in backward {
      var node = node
      redirect(&node)
      graph.nodes.append(node)
    }
  }

  /// Lets a node read what is recomputed, which is put before it when it is the first to do so.
  private mutating func redirect(_ node: inout Node) {
    for input in node.inputs.indices {
      for segment in node.inputs[input].segments.indices {
        let id = node.inputs[input].segments[segment].node
        if chosen.contains(id) { node.inputs[input].segments[segment].node = copy(of: id) }
      }
    }
  }

  private mutating func copy(of id: Node.ID) -> Node.ID {
    if let copy = again[id] { return copy }
    var node = graph[id]
    redirect(&node)
    node.id = nextID
    nextID += 1
    graph.nodes.append(node)
    again[id] = node.id
    return node.id
  }
}
