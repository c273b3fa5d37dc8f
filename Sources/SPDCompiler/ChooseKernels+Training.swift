import SPD

extension ChooseKernels {
  /// The kernel of an operation that only training has; nil if it computes nothing.
  func training(_ node: Node, _ op: Op.Training) throws(KernelError) -> Kernel? {
    switch op {
    case .gradient(_, let isCleared): return isCleared ? .clear : nil
    case .statistics: return .statistics
    case .normalize: return .normalize
    case .normalizeSums: return .normalizeSums
    case .normalizeGradient: return .normalizeGradient
    case .weightGradient(let op): return weightGradient(node, op)
    case .poolGradient: return .poolGradient
    case .globalAverageGradient: return .globalAverageGradient
    case .copyGradient: return .copyGradient
    case .loss(.crossEntropy): return .crossEntropy
    case .loss(.yolo): return .yoloLoss
    }
  }

  private func weightGradient(_ node: Node, _ op: Op.Convolution) -> Kernel {
    let gradient = graph.shape(of: node.inputs[1])
    let reads = node.inputs[0].segments.contains { $0.node == graph.input.id }
    if reads { return .weightGradientPicture(scale: node.inputs[0].segments[0].step) }
    return .weightGradient(
      WeightGradientTile.choose(
        gradient, inputBlocks: PlanMemory.inputBlocks(node), taps: op.kernel.area, target: target))
  }
}

/// How the gradient of a weight is cut into register tiles and units of work; see the template `weight_gradient`.
public struct WeightGradientTile: Codable, Equatable, Sendable {
  /// Inputs and vectors of outputs in a register tile.
  public var inputs: Int
  public var vectors: Int
  /// Parts of the pixels whose sums are added up at the end, where there are too few weights to keep threads busy.
  public var chunks: Int

  static func choose(_ gradient: Shape, inputBlocks: Int, taps: Int, target: Target) -> WeightGradientTile {
    WeightGradientTile(inputs: 8, vectors: 2, chunks: 1)
  }
}
