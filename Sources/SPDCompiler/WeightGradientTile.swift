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
  /// Where inputs and gradient are packed first, pixels side by side: pixels in a row of what they are packed to. Else 0.
  public var packedColumns = 0

  /// Units that keep a few threads busy evenly.
  static let units = 16

  /// Floats of one unit's sums.
  func slab(_ op: Op.Convolution, _ target: Target) -> Int {
    op.kernel.area * channelBlock * vectors * target.lanes
  }

  func strips(outputBlocks: Int, _ target: Target) -> Int {
    ChooseTile.ceilDivide(outputBlocks * channelBlock / target.lanes, vectors)
  }

  /// Floats from one block of 16 channels to the next where `pixels` pixels are packed: an odd number of cache lines.
  static func packedBlock(_ pixels: Int) -> Int { (pixels | 1) * channelBlock }

  /// Rows of a small map lie far apart, in multiples of a page if there are many channels, so that they would meet in the same
  /// few sets of a cache. Packed they do not, which costs one pass over them.
  ///
  /// - Returns: pixels in a row of what they are packed to; nil if they stay where they are.
  private static func packedColumns(_ op: Op.Convolution, _ gradient: Shape, _ inputBlocks: Int, _ outputBlocks: Int)
    -> Int?
  {
    guard op.kernel == 1, op.padding == 0, gradient.width <= 2, min(inputBlocks, outputBlocks) >= 16 else { return nil }
    let pixels = gradient.batch * gradient.size.area
    return (8...64).last { pixels % $0 == 0 }
  }

  /// - Parameters:
  ///   - gradient: of the convolution's result.
  ///   - isUpsampled: whether some input is read through an upsampling.
  static func choose(
    _ op: Op.Convolution, _ gradient: Shape, isUpsampled: Bool, inputBlocks: Int, outputBlocks: Int, target: Target
  ) -> WeightGradientTile {
    var gradient = gradient
    let packed = isUpsampled ? nil : packedColumns(op, gradient, inputBlocks, outputBlocks)
    if let packed { gradient = Self.packed(gradient, columns: packed) }
    let width = outputBlocks * channelBlock / target.lanes
    // Accumulators take the registers but for the outputs' vectors, a broadcast and what a product needs without FMA.
    let room = target.registers - (target.hasFusedMultiplyAdd ? 1 : 2)
    let most = target.registers > 16 ? 8 : 4
    let vectors = min(width, width % 3 == 0 && room / 3 - 1 >= most ? 3 : 2)
    let inputs = [16, 8, 4, 2, 1].first { $0 <= max(most, most * 2 / vectors) && ($0 + 1) * vectors <= room } ?? 1
    var tile = WeightGradientTile(
      inputs: inputs, vectors: vectors, rows: 1, group: 1, across: 1, chunks: 1, fetches: false,
      packedColumns: packed ?? 0)
    // Pixels whose inputs and gradients stay in the first-level cache while the taps pass over them.
    let lines = gradient.batch * gradient.height
    tile.rows = max(1, min(lines, 256 / gradient.width))
    let units = tile.strips(outputBlocks: outputBlocks, target) * inputBlocks
    tile.chunks = min(lines, max(1, Self.units / units))
    // Sums that stay in a quarter of the second-level cache while the units take turns. A strip's outputs are twice a
    // block's inputs, so that both are read least often from beyond it where there are twice as many blocks as strips.
    tile.group = max(1, min(units, target.l2Bytes / 4 / (4 * tile.slab(op, target))))
    tile.across = max(1, min(inputBlocks, Int(Double(2 * tile.group).squareRoot())))
    tile.fetches =
      gradient.batch * gradient.size.area * (inputBlocks + outputBlocks) * channelBlock * 4 > target.l2Bytes
    return tile
  }

  /// All pixels as rows of one image.
  static func packed(_ shape: Shape, columns: Int) -> Shape {
    var packed = shape
    packed.batch = 1
    packed.height = shape.batch * shape.size.area / columns
    packed.width = columns
    return packed
  }
}
