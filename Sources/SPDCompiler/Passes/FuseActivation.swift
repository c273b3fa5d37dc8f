import SPD

/// Applies an activation where the convolution stores its result.
///
///     %1 = conv2d(%0) k=3 p=1 3→8
///     %2 = silu(%1)
/// becomes
///     %2 = conv2d(%0) k=3 p=1 3→8 +silu
extension Pass {
  static let fuseActivation = Pass("fuse-activation", .fusion, modes: [.inference]) { graph, remarks in
    fuseActivations("fuse-activation", &graph, &remarks)
  }

  /// The same once residuals are fused, for activations after the sum:
  ///
  ///     %2 = conv2d(%0, %1) k=3 p=1 8→8 +residual
  ///     %3 = relu(%2)
  /// becomes
  ///     %3 = conv2d(%0, %1) k=3 p=1 8→8 +residual +relu
  static let fuseFinalActivation = Pass("fuse-final-activation", .fusion, modes: [.inference]) { graph, remarks in
    fuseActivations("fuse-final-activation", &graph, &remarks)
  }

  private static func fuseActivations(_ name: String, _ graph: inout Graph, _ remarks: inout [Remark]) {
    for node in graph.nodes {
      guard case .activation(let activation) = node.op else { continue }
      guard let producer = node[.input].wholeNode(in: graph).map({ graph[$0] }),
        case .convolution(var op) = producer.op
      else { continue }
      guard graph.onlyReader(of: producer.id) != nil else {
        remarks.append(Remark(name, node, fired: false, "others read the convolution \(producer.layer) too"))
        continue
      }
      // One before the sum and one after it.
      if case .activate = op.epilogue.stages.last {
        remarks.append(Remark(name, node, fired: false, "the convolution \(producer.layer) has an activation already"))
        continue
      }
      // Such a convolution may run once per group, each with a table of its own.
      if activation.parameter != nil, op.groups > 1 {
        remarks.append(
          Remark(name, node, fired: false, "the grouped convolution \(producer.layer) has no table of parameters"))
        continue
      }
      op.epilogue.stages.append(.activate(activation))
      remarks.append(Remark(name, node, fired: true, "applied by the convolution \(producer.layer)"))
      graph.absorb(node, into: producer, op: .convolution(op))
    }
  }
}
