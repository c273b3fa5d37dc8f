import SPD

/// Folds batch normalisation into the convolution before it.
///
///     %1 = conv2d(%0) k=3 p=1 3→8
///     %2 = batch_norm(%1)
/// becomes
///     %2 = conv2d(%0) k=3 p=1 3→8 *bn
///
/// W' = W·γ/√(var + ε), b' = β + (b − mean)·γ/√(var + ε), computed in double precision when the weights are packed. A
/// normalisation that depends on the phase cannot be in the weights; it becomes the convolution's epilogue.
/// Inference only: training normalises with the statistics of the batch.
extension Pass {
  static let foldBatchNorm = Pass("fold-batch-norm", .fusion, modes: [.inference]) { graph, remarks in
    for node in graph.nodes {
      guard case .batchNorm(let norm) = node.op else { continue }
      guard let producer = node[.input].wholeNode(in: graph).map({ graph[$0] }),
        case .convolution(var op) = producer.op
      else {
        remarks.append(Remark("fold-batch-norm", node, fired: false, "what it normalises is no convolution"))
        continue
      }
      guard graph.onlyReader(of: producer.id) != nil else {
        remarks.append(
          Remark("fold-batch-norm", node, fired: false, "others read the convolution \(producer.layer) too"))
        continue
      }
      guard op.epilogue.isEmpty, op.parts.count == 1, op.parts[0].batchNorm == nil else {
        remarks.append(
          Remark("fold-batch-norm", node, fired: false, "the convolution \(producer.layer) has an epilogue already"))
        continue
      }
      // Such a convolution may run once per group, each with a table of its own.
      guard norm.enclosing == nil || op.groups == 1 else {
        remarks.append(
          Remark(
            "fold-batch-norm", node, fired: false,
            "the grouped convolution \(producer.layer) does not tell phases apart"))
        continue
      }
      if norm.enclosing == nil {
        op.parts[0].batchNorm = norm
        remarks.append(Remark("fold-batch-norm", node, fired: true, "folded into the weights of \(producer.layer)"))
      } else {
        op.epilogue.stages.append(.normalizeByPhase(norm))
        remarks.append(
          Remark("fold-batch-norm", node, fired: true, "scale and shift by phase in the epilogue of \(producer.layer)"))
      }
      graph.absorb(node, into: producer, op: .convolution(op))
    }
  }
}
