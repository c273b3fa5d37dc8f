import SPD

/// Writes out, by a copy, each reindexing that is left, and each view that its reader cannot read in place.
///
///     %1 = space_to_depth(%0) scale=2 order=paper
///     %2 = max_pool(%1) k=3 p=1
/// becomes
///     %1 = copy(%0[::2,::2] ++ %0[1::2,::2] ++ %0[::2,1::2] ++ %0[1::2,1::2])
///     %2 = max_pool(%1) k=3 p=1
extension Pass {
  static let lowerViews = Pass("lower-views", .lowering) { graph, remarks in
    for node in graph.nodes where node.op != .input && node.op != .copy {
      // A reindexing that a view expresses reads anything.
      for (index, operand) in node.inputs.enumerated() where graph.view(of: node) == nil {
        guard let obstacle = ViewRules.obstacle(for: node, input: index, reading: operand, in: graph) else { continue }
        let what = ViewRules.readsImage(operand, in: graph) ? "the image is copied into blocks" : "a view is copied"
        remarks.append(Remark("lower-views", node, fired: true, "\(what), because \(obstacle)"))
        let copy = Node(
          id: graph.nextID, op: .copy, inputs: [operand], shape: graph.shape(of: operand), layer: node.layer,
          source: node.source)
        graph.nodes.insert(copy, at: graph.position(of: node.id))
        graph[node.id].inputs[index] = Operand(copy)
      }
      if let view = graph.view(of: graph[node.id]) {
        remarks.append(Remark("lower-views", node, fired: true, "\(node.op.name) is copied"))
        graph[node.id].op = .copy
        graph[node.id].inputs = [view]
      }
    }
  }
}
