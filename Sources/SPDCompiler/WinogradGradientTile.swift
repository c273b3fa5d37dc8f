import SPD

/// How Winograd computes the gradient of a 3×3 weight; see the template `weight_gradient_winograd`.
public struct WinogradGradientTile: Codable, Equatable, Sendable {
  /// Edge of a tile of the result.
  public var size: Int
  /// Inputs and vectors of outputs in a register tile.
  public var inputs: Int
  public var vectors: Int
  /// Tiles whose elements are held at a time.
  public var tiles: Int
  /// Units that share an element's outputs while they are in a cache.
  public var group: Int
  /// Blocks of inputs whose elements are held at a time, where those of all tiles are; else all of them.
  public var share: Int

  var elements: Int { (size + 2) * (size + 2) }

  func count(_ gradient: Shape) -> Int {
    gradient.batch * ChooseTile.ceilDivide(gradient.height, size) * ChooseTile.ceilDivide(gradient.width, size)
  }

  /// Floats from one element to the next: an odd number of cache lines.
  func plane(blocks: Int) -> Int { (blocks * tiles | 1) * channelBlock }

  /// Floats of one unit's sums.
  func slab(_ target: Target) -> Int { elements * channelBlock * vectors * target.lanes }

  func strips(outputBlocks: Int, _ target: Target) -> Int {
    ChooseTile.ceilDivide(outputBlocks * channelBlock / target.lanes, vectors)
  }

  /// Nil where too few channels share the transforms, or the map is smaller than a tile.
  static func choose(
    _ gradient: Shape, inputBlocks: Int, outputBlocks: Int, target: Target
  ) -> WinogradGradientTile? {
    guard inputBlocks >= 4, outputBlocks >= 4 else { return nil }
    let smaller = min(gradient.height, gradient.width)
    guard smaller >= 2 else { return nil }
    let vectors = target.lanes == 16 || target.lanes == 1 ? 2 : target.lanes == 8 ? 3 : 4
    var result = WinogradGradientTile(
      size: smaller >= 4 ? 4 : 2, inputs: target.lanes == 16 ? 8 : 4, vectors: vectors, tiles: 1, group: 4,
      share: inputBlocks)
    let perTile = result.elements * (inputBlocks + outputBlocks) * channelBlock * 4
    let count = result.count(gradient)
    let most = max(32, 2 * target.l2Bytes / perTile)
    result.tiles = ChooseTile.ceilDivide(count, ChooseTile.ceilDivide(count, most))
    // Sums that wait for more tiles may take more memory, and are read and written more often, than the elements of all tiles.
    var whole = result
    whole.tiles = count
    whole.share = ChooseTile.ceilDivide(inputBlocks, ChooseTile.ceilDivide(inputBlocks, 2 * result.group))
    func floats(_ tile: WinogradGradientTile) -> Int {
      tile.sharedCount(gradient, inputBlocks: inputBlocks, outputBlocks: outputBlocks, target)
    }
    return floats(whole) <= floats(result) ? whole : result
  }

  /// Floats that threads share: elements of inputs and outputs, and sums that wait for more tiles.
  func sharedCount(_ gradient: Shape, inputBlocks: Int, outputBlocks: Int, _ target: Target) -> Int {
    let sums = tiles < count(gradient) ? strips(outputBlocks: outputBlocks, target) * inputBlocks * slab(target) : 0
    return elements * (plane(blocks: share) + plane(blocks: outputBlocks)) + sums
  }
}
