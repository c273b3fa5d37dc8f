import SPD

/// Multiplies the upsampled part of a 1×1 convolution's input at its own resolution, in a convolution of its own.
///
///     %3 = conv2d(%1^2 ++ %2) k=1 48→8 *bn +silu                  8×8×8
/// becomes
///     %4 = conv2d(%1) k=1 32/48→8 *bn                             8×4×4
///     %3 = conv2d(%2→32, %4^2) k=1 16/48→8 *bn +accumulator +silu       8×8×8
///
/// A 1×1 convolution commutes with nearest upsampling: W∗concat(up(a), b) = up(Wₐ∗a) + W_b∗b. The sums of b start from
/// those of a, so nothing is added on its own; the bias goes with a, the epilogue stays with b. Of the multiply-adds of
/// the upsampled part 1 − 1/f² are saved. Inference only: a gradient would have to find its weights in two places.
extension Pass {
  static let splitUpsampled = Pass("split-upsampled", .fusion, modes: [.inference]) { graph, remarks in
    for node in graph.nodes {
      guard case .convolution(let op) = node.op, let factor = node[.input].segments.map(\.upsampling).max(),
        factor > 1
      else { continue }
      if let obstacle = obstacle(op, node[.input], factor: factor) {
        remarks.append(Remark("split-upsampled", node, fired: false, obstacle))
        continue
      }
      var low = Operand(segments: node[.input].segments.filter { $0.upsampling > 1 })
      let rest = Operand(segments: node[.input].segments.filter { $0.upsampling == 1 })
      for index in low.segments.indices { low.segments[index].upsampling = 1 }

      var sums = op
      sums.totalInputChannels = op.totalInputChannels ?? node[.input].channels
      sums.epilogue = Op.Epilogue()
      var shape = graph.shape(of: low)
      shape.channels = op.outputs
      let start = Node(
        id: graph.nextID, op: .convolution(sums), inputs: [low], shape: shape, layer: node.layer, source: node.source)

      var remaining = op
      remaining.totalInputChannels = sums.totalInputChannels
      remaining.epilogue.addsAccumulator = true
      for part in remaining.parts.indices { remaining.parts[part].bias = nil }
      graph.nodes.insert(start, at: graph.position(of: node.id))
      graph[node.id].op = .convolution(remaining)
      graph[node.id][.input] = rest
      graph[node.id].insert(Operand(start).upsampled(by: factor), as: .start)
      remarks.append(
        Remark(
          "split-upsampled", node, fired: true,
          "\(low.channels) of its \(node[.input].channels) input channels are multiplied before their upsampling"
        ))
    }
  }

  /// Why a convolution that reads something upsampled, by `factor` at most, stays whole; nil if it is split.
  private static func obstacle(_ op: Op.Convolution, _ operand: Operand, factor: Int) -> String? {
    guard op.kernel == 1, op.stride == 1, op.padding == 0, op.groups == 1 else {
      return "only a 1×1 convolution commutes with upsampling"
    }
    guard !op.epilogue.addsAccumulator else { return "its sums start from a tensor already" }
    let upsampled = operand.segments.filter { $0.upsampling > 1 }
    guard upsampled.allSatisfy({ $0.upsampling == factor }) else {
      return "it reads views upsampled by several factors"
    }
    guard upsampled.count < operand.segments.count else { return "all of its input is upsampled" }
    // For each value that is written and read once more, this many multiply-adds are saved. It takes about a channel
    // block at a factor of 2: the second-level cache moves a value while a core multiplies some fifty.
    let saved = upsampled.reduce(0) { $0 + $1.channels } * (factor * factor - 1)
    return saved < 48 ? "too few of its input channels are upsampled" : nil
  }
}
