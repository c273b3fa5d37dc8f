import SPD

/// How the gradient of a weight is cut into register tiles and units of work; see the template `weight_gradient`.
public struct WeightGradientTile: Codable, Equatable, Sendable {
  /// Inputs, and vectors of outputs, in a register tile.
  public var inputs: Int
  public var vectors: Int
  /// Rows of pixels, of all images, that a register tile runs over.
  public var rows: Int
  /// Units of work that take turns on these rows.
  public var group: Int
  /// Blocks of inputs whose units come one after another, strip of outputs by strip.
  public var across: Int
  /// Parts of the pixels whose sums are added up at the end, where there are too few weights to keep threads busy.
  public var chunks: Int
  /// Whether the next rows are fetched ahead.
  public var fetches: Bool

  /// Units that keep a few threads busy evenly.
  static let units = 16

  /// Floats of one unit's sums.
  func slab(_ op: Op.Convolution, _ target: Target) -> Int {
    op.kernel.area * channelBlock * vectors * target.lanes
  }

  func strips(outputBlocks: Int, _ target: Target) -> Int {
    ChooseTile.ceilDivide(outputBlocks * channelBlock / target.lanes, vectors)
  }

  /// - Parameters:
  ///   - gradient: of the convolution's result.
  static func choose(
    _ op: Op.Convolution, _ gradient: Shape, inputBlocks: Int, outputBlocks: Int, target: Target
  ) -> WeightGradientTile {
    let (inputs, vectors) = registerTile(width: outputBlocks * channelBlock / target.lanes, target)
    var tile = WeightGradientTile(
      inputs: inputs, vectors: vectors, rows: 1, group: 1, across: 1, chunks: 1, fetches: false)
    // Pixels whose inputs and gradients stay in the first-level cache while the taps pass over them.
    let lines = gradient.batch * gradient.height
    tile.rows = max(1, min(lines, 256 / gradient.width))
    let units = tile.strips(outputBlocks: outputBlocks, target) * inputBlocks
    tile.chunks = min(lines, max(1, Self.units / units))
    // Sums that stay in a quarter of the second-level cache while the units take turns. A strip's outputs are twice a
    // block's inputs, so that both are read most seldom from beyond it where there are twice as many blocks as strips.
    tile.group = max(1, min(units, target.l2Bytes / 4 / (4 * tile.slab(op, target))))
    tile.across = max(1, min(inputBlocks, Int(Double(2 * tile.group).squareRoot())))
    tile.fetches =
      gradient.batch * gradient.size.area * (inputBlocks + outputBlocks) * channelBlock * 4 > target.l2Bytes
    return tile
  }

  /// Inputs, and vectors of outputs, of a register tile for `width` vectors of outputs: what takes fewest cycles, with the last
  /// strip, which may be a narrower one.
  static func registerTile(width: Int, _ target: Target) -> (inputs: Int, vectors: Int) {
    // Accumulators take the registers but for the outputs' vectors, a broadcast and what a product needs without FMA.
    let room = target.registers - (target.hasFusedMultiplyAdd ? 1 : 2)
    let most = target.registers > 16 ? 8 : 4
    func inputs(_ vectors: Int) -> Int {
      [16, 8, 4, 2, 1].first { $0 <= max(most, most * 2 / vectors) && ($0 + 1) * vectors <= room } ?? 1
    }
    func cycles(_ vectors: Int) -> Double {
      let inputs = inputs(vectors)
      let strips = Double(width / vectors) * ChooseTile.laneCycles(pixels: inputs, vectors: vectors)
      let last = width % vectors == 0 ? 0 : ChooseTile.laneCycles(pixels: inputs, vectors: width % vectors)
      return (strips + last) / Double(inputs)
    }
    let widths = [3, 2, 1].filter { $0 <= width && (inputs($0) >= most || $0 == 1) }
    let vectors = widths.min { cycles($0) < cycles($1) } ?? 1
    return (inputs(vectors), vectors)
  }
}
