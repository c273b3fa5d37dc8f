import SPD

/// Removes layers whose results nothing reads.
///
///     %1 = conv2d(%0) k=3 p=1 3→8
///     %2 = conv2d(%0) k=1 3→8
///     return %2
/// becomes
///     %2 = conv2d(%0) k=1 3→8
///     return %2
extension Pass {
  static let eliminateDeadCode = Pass("eliminate-dead-code", .fusion) { graph, remarks in
    removeUnreadNodes(&graph) { node in
      remarks.append(Remark("eliminate-dead-code", node, fired: true, "nothing reads this \(node.op.name)"))
    }
  }

  /// The same for what passes leave over; needed, because memory is planned for every node.
  static let removeUnread = Pass("remove-unread", .lowering) { graph, _ in
    removeUnreadNodes(&graph) { _ in }
  }

  private static func removeUnreadNodes(_ graph: inout Graph, _ report: (Node) -> Void) {
    var live = Set(graph.outputs.flatMap(\.segments).map(\.node))
    for node in graph.nodes.reversed() where live.contains(node.id) || node.destinations != nil {
      live.insert(node.id)
      live.formUnion(node.inputs.flatMap(\.segments).map(\.node))
    }
    for node in graph.nodes where node.op != .input && !live.contains(node.id) {
      report(node)
      graph.remove(node.id)
    }
  }
}
