import SPD

/// Runs the shorter branch of a fork first, so that the backward pass comes to it last.
///
///     %1 = conv2d(%0) k=3
///     %2 = conv2d(%1) k=3
///     %3 = conv2d(%0) k=1
///     %4 = add(%2, %3)
/// becomes
///     %3 = conv2d(%0) k=1
///     %1 = conv2d(%0) k=3
///     %2 = conv2d(%1) k=3
///     %4 = add(%2, %3)
///
/// The backward pass through a long branch needs the input of the fork only at its end, that through a shortcut at once: if
/// the shortcut's turn comes last, what was not kept is recomputed later, and fewer gradients wait for others.
extension Pass {
  static let shortBranchesFirst = Pass("short-branches-first", .fusion, modes: [.training]) { graph, remarks in
    var order = BranchOrder(graph)
    graph.nodes = order.run()
    remarks += order.forks.map {
      Remark("short-branches-first", $0, fired: true, "runs before the longer branch of its fork")
    }
  }
}

private struct BranchOrder {
  let graph: Graph
  private(set) var forks: [Node] = []
  private var readers: [Node.ID: [Node]] = [:]
  private var missing: [Node.ID: Int] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    for node in graph.nodes {
      let sources = Set(node.inputs.flatMap(\.segments).map(\.node))
      missing[node.id] = sources.count
      for source in sources { readers[source, default: []].append(node) }
    }
  }

  /// Depth first: what can run is run as soon as possible, of several that become ready at once the shortest branch first.
  mutating func run() -> [Node] {
    var order: [Node] = []
    var ready = Array(graph.nodes.filter { missing[$0.id] == 0 }.reversed())
    while let node = ready.popLast() {
      order.append(node)
      var next: [Node] = []
      for reader in readers[node.id] ?? [] {
        missing[reader.id]! -= 1
        if missing[reader.id] == 0 { next.append(reader) }
      }
      if next.count > 1 {
        let lengths = Dictionary(uniqueKeysWithValues: next.map { ($0.id, length(from: $0, fork: node.id)) })
        let first = next[0].id
        next = next.enumerated().sorted {
          (lengths[$0.element.id]!, $0.offset) < (lengths[$1.element.id]!, $1.offset)
        }.map(\.element)
        if next[0].id != first { forks.append(next[0]) }
      }
      ready += next.reversed()
    }
    return order
  }

  /// Nodes from one that reads a fork to the join, which also reads something else.
  private func length(from node: Node, fork: Node.ID) -> Int {
    var branch: Set<Node.ID> = [fork]
    var pending = [node]
    var count = 0
    while let node = pending.popLast() {
      guard node.inputs.flatMap(\.segments).allSatisfy({ branch.contains($0.node) }), branch.insert(node.id).inserted
      else { continue }
      count += 1
      pending += readers[node.id] ?? []
    }
    return count
  }
}
