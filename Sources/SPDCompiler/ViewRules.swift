import SPD

/// Channels per block of a stored activation; see `TensorLayout`.
public let channelBlock = 16

/// Which views a node can read in place.
enum ViewRules {
  /// - Returns: nil if the node can read `operand` as its input number `index`, else the reason why not.
  static func obstacle(for node: Node, input index: Int, reading operand: Operand, in graph: Graph) -> String? {
    if let segment = operand.segments.first(where: { $0.first % channelBlock != 0 }) {
      return "it begins at channel \(segment.first), which is no multiple of \(channelBlock)"
    }
    switch node.op {
    case .convolution(let op) where index == node.index(of: .input):
      if readsImage(operand, in: graph) {
        guard isWholeImage(operand, in: graph) else {
          return "only the whole image, itself or through one space-to-depth, is read in place"
        }
        guard op.groups == 1, op.dilation == 1, op.stride.height == op.stride.width else {
          return "the image is read in place without groups or dilation and with one stride"
        }
        guard op.totalInputChannels == nil, !op.epilogue.addsAccumulator else {
          return "the image is read in place by whole convolutions"
        }
        return nil
      }
      if op.groups != 1, !isPlainSlice(operand) {
        return "a grouped convolution reads one tensor without reindexing"
      }
      if operand.segments.contains(where: { $0.upsampling > 1 }), op.kernel != 1 || op.stride != 1 || op.padding != 0 {
        return "only a 1×1 convolution reads an upsampled tensor in place; this one has kernel \(op.kernel)"
          + (op.stride == 1 ? "" : ", stride \(op.stride)") + (op.padding == 0 ? "" : ", padding \(op.padding)")
      }
      return nil
    case .convolution where index == node.index(of: .start):
      var source = operand
      for segment in source.segments.indices { source.segments[segment].upsampling = 1 }
      guard !readsImage(source, in: graph), isPlainSlice(source) else {
        return "sums start from one tensor, upsampled but not reindexed otherwise"
      }
      return nil
    case .training(.loss(.crossEntropy)), .training(.loss(.composed)):
      // They go over every channel of what they read and of its gradient, and the rest of the last block.
      return operand.wholeNode(in: graph) == nil ? "\(node.op.name) reads a whole result" : nil
    case .input, .convolution, .batchNorm, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .pool,
      .globalAveragePool, .flatten, .linear, .softmax, .decodeBoxes, .copy, .training:
      if readsImage(operand, in: graph) { return "\(node.op.name) does not read the caller's image" }
      return isPlainSlice(operand) ? nil : "\(node.op.name) reads one tensor without reindexing"
    }
  }

  static func readsImage(_ operand: Operand, in graph: Graph) -> Bool {
    operand.segments.contains { $0.node == graph.input.id }
  }

  /// The whole image, or the whole image through one space-to-depth of any order: what the image kernel reads.
  static func isWholeImage(_ operand: Operand, in graph: Graph) -> Bool {
    imageScale(operand, in: graph) != nil
  }

  /// 1 for the image itself, s through a space-to-depth of scale s, nil for anything else.
  static func imageScale(_ operand: Operand, in graph: Graph) -> Int? {
    let image = graph.input
    let step = operand.segments[0].step
    guard operand.segments.count == step * step, image.shape.channels <= 4 else { return nil }
    let phases = Set(operand.segments.map { Size2D($0.rowPhase, $0.columnPhase) })
    guard phases.count == step * step else { return nil }
    for segment in operand.segments {
      guard segment.node == image.id, segment.channels == image.shape.channels, segment.step == step,
        segment.upsampling == 1
      else { return nil }
    }
    return step
  }

  static func isPlainSlice(_ operand: Operand) -> Bool {
    operand.segments.count == 1 && operand.segments[0].isPlain && operand.segments[0].first % channelBlock == 0
  }
}
