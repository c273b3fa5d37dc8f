import SPD

/// Hoists batch normalisation and activation over a space-to-depth: from after it to before it.
///
///     %2 = space_to_depth(%1) scale=2 order=paper     64×8×8 → 256×4×4
///     %3 = batch_norm(%2)
///     %4 = relu(%3)
/// becomes
///     %2 = batch_norm(%1) enclosing=scale=2 order=paper
///     %3 = relu(%2)
///     %4 = space_to_depth(%3) scale=2 order=paper
///
/// Each of the scale²·C channels after the space-to-depth is one phase of one channel before it, so the
/// normalisation becomes one whose scale and shift depend on the phase of the pixel (ResNet-SPD; the paper's Table 3).
extension Pass {
  static let hoistOverSpaceToDepth = Pass("hoist-over-space-to-depth", .fusion) { graph, remarks in
    let name = "hoist-over-space-to-depth"
    var refused: Set<Node.ID> = []
    var changed = true
    while changed {
      changed = false
      for node in graph.nodes {
        guard case .spaceToDepth(let op) = node.op, let reader = graph.onlyReader(of: node.id) else { continue }
        var moved = reader
        switch reader.op {
        case .batchNorm(var norm) where norm.enclosing == nil:
          // The kernels tell phases apart by parity.
          guard op.scale == 2 else {
            if refused.insert(reader.id).inserted {
              remarks.append(Remark(name, reader, fired: false, "phases are told apart for scale 2, not \(op.scale)"))
            }
            continue
          }
          norm.enclosing = op
          moved.op = .batchNorm(norm)
        // A parameter for each channel would be one for each phase of fewer channels.
        case .activation(let activation) where activation.parameter == nil:
          break
        case .input, .convolution, .batchNorm, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .pool,
          .globalAveragePool, .flatten, .linear, .softmax, .decodeBoxes, .copy, .training:
          continue
        }
        remarks.append(Remark(name, reader, fired: true, "\(reader.op.name) moved before the space-to-depth"))
        // The pointwise node takes the old place, the space-to-depth the reader's name and place.
        moved.id = node.id
        moved.inputs = node.inputs
        moved.shape = graph.shape(of: node[.input])
        var late = node
        late.id = reader.id
        late.inputs = [Operand(moved)]
        graph[node.id] = moved
        graph[reader.id] = late
        changed = true
        break
      }
    }
  }
}
