import SPD

/// Turns batch normalisation, activations and sums into the one operation that training has for them.
///
///     %2 = batch_norm(%1)
///     %3 = relu(%2)
/// becomes
///     %4 = statistics(%1)
///     %2 = normalize(%1, %4) *bn
///     %3 = normalize(%2) +relu
extension Pass {
  static let lowerPointwise = Pass("lower-pointwise", .lowering, modes: [.training]) { graph, _ in
    for node in graph.nodes {
      var lowered = node
      switch node.op {
      case .batchNorm(let norm):
        let statistics = Node(
          id: graph.nextID, op: .training(.statistics(norm)), inputs: node.inputs,
          shape: Shape(batch: 4 * norm.phases, channels: node.shape.channels, height: 1, width: 1), layer: node.layer,
          source: node.source)
        graph.nodes.insert(statistics, at: graph.position(of: node.id))
        lowered.op = .training(.normalize(Op.Normalize(norm: norm)))
        lowered.inputs.append(Operand(statistics))
      case .activation(let activation) where activation.parameter == nil:
        let (derivative, slope, _) = activation.formula.differentiated()
        guard Float(derivative.evaluate(0, at: slope)).isFinite else {
          throw GraphError(
            "\(node.source): spdc does not train through \(activation.name) (layer \(node.layer)): its slope at 0, which padding "
              + "is, is \(derivative.evaluate(0, at: slope))")
        }
        lowered.op = .training(.normalize(Op.Normalize(stages: [.activate(activation)])))
      case .add:
        lowered.op = .training(.normalize(Op.Normalize(stages: [.add])))
      case .input, .activation, .convolution, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool,
        .flatten,
        .linear,
        .softmax, .decodeBoxes, .copy, .training:
        continue
      }
      graph[node.id] = lowered
    }
  }

  /// Normalises, activates and adds a residual in one pass over memory.
  ///
  ///     %2 = normalize(%1, %4) *bn
  ///     %3 = normalize(%2) +relu
  /// becomes
  ///     %3 = normalize(%1, %4) *bn +relu
  static let fuseNormalize = Pass("fuse-normalize", .fusion, modes: [.training]) { graph, remarks in
    for id in graph.nodes.map(\.id) {
      let node = graph[id]
      guard case .training(.normalize(let late)) = node.op, late.norm == nil else { continue }
      for (index, operand) in node.inputs.enumerated() {
        guard let producer = operand.wholeNode(in: graph).map({ graph[$0] }),
          case .training(.normalize(let early)) = producer.op, graph.onlyReader(of: producer.id) != nil,
          let both = early.followed(by: late)
        else { continue }
        remarks.append(Remark("fuse-normalize", node, fired: true, "one pass with \(producer.layer)"))
        graph.remove(producer.id)
        graph[id].op = .training(.normalize(both))
        graph[id].inputs = producer.inputs + (late.stages.addsSummand ? [node.inputs[1 - index]] : [])
        break
      }
    }
  }
}

extension Op.Normalize {
  /// Both in one, or nil if the order in which one operation does things forbids it.
  fileprivate func followed(by late: Op.Normalize) -> Op.Normalize? {
    guard late.norm == nil, late.stages.count == 1, stages.finalActivation == nil else { return nil }
    switch late.stages[0] {
    case .add where !stages.addsSummand: break
    // The backward pass tells ReLU's derivative from its result; others would need the sum, which is not kept.
    case .activate(let activation) where stages.addsSummand ? activation == .relu : stages.activation == nil: break
    case .add, .activate, .normalizeByPhase, .gatherStatistics: return nil
    }
    return Op.Normalize(norm: norm, stages: stages + late.stages)
  }
}
