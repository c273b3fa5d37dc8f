import SPD

/// Adds a residual where the convolution stores its result.
///
///     %2 = conv2d(%1) k=3 p=1 8→8 +silu
///     %3 = add(%2, %0)
/// becomes
///     %3 = conv2d(%1, %0) k=3 p=1 8→8 +silu +residual
extension Pass {
  static let fuseResidual = Pass("fuse-residual", .fusion, modes: [.inference]) { graph, remarks in
    for node in graph.nodes {
      guard case .add = node.op else { continue }
      var reason = "neither summand is a convolution that nothing else reads"
      for (index, operand) in node.inputs.enumerated() {
        guard let producer = operand.wholeNode(in: graph).map({ graph[$0] }),
          case .convolution(var op) = producer.op, graph.onlyReader(of: producer.id) != nil
        else { continue }
        guard !op.epilogue.stages.addsSummand else {
          reason = "the convolution \(producer.layer) adds another residual already"
          continue
        }
        op.epilogue.stages.append(.add)
        remarks.append(Remark("fuse-residual", node, fired: true, "added by the convolution \(producer.layer)"))
        graph.absorb(node, into: producer, op: .convolution(op))
        graph[node.id].insert(node.inputs[1 - index], as: .summand)
        reason = ""
        break
      }
      if !reason.isEmpty { remarks.append(Remark("fuse-residual", node, fired: false, reason)) }
    }
  }
}
