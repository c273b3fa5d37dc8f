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
    let blocks = ChooseTile.ceilDivide(op.outputs, channelBlock)
    guard !node.inputs[0].segments.contains(where: { $0.node == graph.input.id }) else {
      return .weightGradientPicture(
        scale: node.inputs[0].segments[0].step, chunks: min(gradient.batch, max(1, WeightGradientTile.units / blocks)))
    }
    return .weightGradient(
      WeightGradientTile.choose(
        gradient, inputBlocks: PlanMemory.inputBlocks(node), outputBlocks: blocks, target: target))
  }
}

/// How the gradient of a weight is cut into register tiles and units of work; see the template `weight_gradient`.
public struct WeightGradientTile: Codable, Equatable, Sendable {
  /// Inputs in a register tile.
  public var inputs: Int
  /// Blocks of 16 outputs in one, and in a unit.
  public var strip: Int
  /// Rows of pixels that a register tile runs over.
  public var rows: Int
  /// Parts of the images whose sums are added up at the end, where there are too few weights to keep threads busy.
  public var chunks: Int

  /// Units that keep a few threads busy evenly.
  static let units = 16

  static func choose(
    _ gradient: Shape, inputBlocks: Int, outputBlocks: Int, target: Target
  ) -> WeightGradientTile {
    let vectors = channelBlock / target.lanes
    let strip = min(outputBlocks, max(1, 2 / vectors))
    // All registers but the outputs' vectors, a broadcast and one to spare.
    let room = (target.registers - (target.hasFusedMultiplyAdd ? 4 : 8)) / (strip * vectors)
    let inputs = [16, 8, 4, 2, 1].first { $0 <= min(room, strip * vectors == 1 ? 16 : 8) } ?? 1
    // Pixels whose inputs and gradients stay in the first-level cache while the taps pass over them.
    let pixels = 16 * 1024 / ((1 + strip) * channelBlock * 4)
    let units = inputBlocks * ChooseTile.ceilDivide(outputBlocks, strip)
    return WeightGradientTile(
      inputs: inputs, strip: strip, rows: max(1, min(gradient.height, pixels / gradient.width)),
      chunks: min(gradient.batch, max(1, Self.units / units)))
  }
}
