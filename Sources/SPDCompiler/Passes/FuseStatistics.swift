import SPD

/// Gathers the statistics of a batch where the convolution stores its result, while it is in registers.
///
///     %1 = conv2d(%0) k=3 p=1 16→16
///     %2 = statistics(%1) bn
/// becomes
///     %1 = conv2d(%0) k=3 p=1 16→16 +statistics
///     %2 = statistics(%1) bn
///
/// What is left of the second is to merge what the convolution's units of work have gathered.
extension Pass {
  static let fuseStatistics = Pass("fuse-statistics", .fusion, modes: [.training]) { graph, remarks in
    for node in graph.nodes {
      guard case .training(.statistics(let norm)) = node.op,
        let producer = node[.input].wholeNode(in: graph).map({ graph[$0] }), case .convolution(var op) = producer.op
      else { continue }
      if let obstacle = obstacle(graph, producer, norm) {
        remarks.append(Remark("fuse-statistics", node, fired: false, obstacle))
        continue
      }
      op.epilogue.stages.append(.gatherStatistics)
      graph[producer.id].op = .convolution(op)
      remarks.append(Remark("fuse-statistics", node, fired: true, "gathered by the convolution \(producer.layer)"))
    }
  }

  private static func obstacle(_ graph: Graph, _ node: Node, _ norm: Op.BatchNorm) -> String? {
    if norm.phases > 1 { return "each phase has statistics of its own" }
    if node[.input].segments.contains(where: { $0.node == graph.input.id }) {
      return "the convolution \(node.layer) reads the image"
    }
    let normalisations = graph.readers(of: node.id).filter { reader in
      if case .training(.statistics) = reader.op { true } else { false }
    }
    return normalisations.count > 1 ? "several normalisations read the convolution \(node.layer)" : nil
  }
}
