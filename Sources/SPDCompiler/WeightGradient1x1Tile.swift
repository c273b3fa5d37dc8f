import SPD

/// How the gradient of a 1×1 convolution's weight is cut into register tiles, panels and units of work; see the template
/// `weight_gradient_1x1`.
public struct WeightGradient1x1Tile: Codable, Equatable, Sendable {
  /// Inputs, and vectors of outputs, in a register tile.
  public var inputs: Int
  public var vectors: Int
  /// Pixels that are copied side by side, and used by all units of a group.
  public var panel: Int
  /// Blocks of inputs, and strips of outputs, of a group.
  public var across: Int
  public var turns: Int

  /// Floats of one unit's sums, the bias's among them.
  func slab(_ op: Op.Convolution, _ target: Target) -> Int {
    (channelBlock + (op.parts[0].bias == nil ? 0 : 1)) * vectors * target.lanes
  }

  func strips(outputBlocks: Int, _ target: Target) -> Int {
    ChooseTile.ceilDivide(outputBlocks * channelBlock / target.lanes, vectors)
  }

  /// Floats that each thread needs for itself: a group's panels and its sums.
  func scratchCount(_ op: Op.Convolution, _ target: Target) -> Int {
    panel * (across * channelBlock + turns * vectors * target.lanes) + across * turns * slab(op, target)
  }

  /// Nil where too few units share the copies, or a pixel is read through an upsampling, whose gradients are added up first.
  static func choose(
    _ op: Op.Convolution, _ gradient: Shape, isUpsampled: Bool, inputBlocks: Int, outputBlocks: Int, target: Target
  ) -> WeightGradient1x1Tile? {
    guard op.kernel == 1, op.padding == 0, !isUpsampled, min(inputBlocks, outputBlocks) >= 4 else { return nil }
    let (inputs, vectors) = WeightGradientTile.registerTile(width: outputBlocks * channelBlock / target.lanes, target)
    let pixels = gradient.batch * gradient.size.area
    // What one unit reads stays in the first-level cache beside its sums …
    let perPixel = 4 * (channelBlock + vectors * target.lanes)
    let most = (target.registers > 16 ? 30 : 20) << 10
    let panel = ChooseTile.ceilDivide(pixels, ChooseTile.ceilDivide(pixels * perPixel, most))
    var tile = WeightGradient1x1Tile(inputs: inputs, vectors: vectors, panel: panel, across: 1, turns: 1)
    // … and a group's panels in the second-level one.
    let strips = tile.strips(outputBlocks: outputBlocks, target)
    let side = max(1, min(16, target.l2Bytes * 5 / 8 / (panel * perPixel)))
    tile.across = ChooseTile.ceilDivide(inputBlocks, ChooseTile.ceilDivide(inputBlocks, side))
    tile.turns = ChooseTile.ceilDivide(strips, ChooseTile.ceilDivide(strips, side))
    return tile
  }
}
