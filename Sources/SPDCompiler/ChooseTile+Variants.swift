import SPD

/// Other ways to cut a direct convolution, for measuring: where the model of `ChooseTile` is roughest.
extension ChooseTile {
  /// Register tiles first, then orders, units of work and prefetches; all give the same bits.
  static func variants(of tile: ConvolutionTile, _ problem: Problem, target: Target) -> [ConvolutionTile] {
    let output = problem.output
    let strips = ceilDivide(ceilDivide(output.channels, channelBlock), tile.strip)
    let bands = output.batch * ceilDivide(output.height, tile.rows)
    var variants: [ConvolutionTile] = []
    func add(_ change: (inout ConvolutionTile) -> Void) {
      var other = tile
      change(&other)
      variants.append(other)
    }
    if strips > 1, bands > 1 { add { $0.stripMajor.toggle() } }
    variants += tiles(otherThan: tile, problem, target: target)
    // Weights stay in the first-level cache for more rows; there must be units left to share out.
    if bands >= 32 { add { $0.unitRows *= 4 } }
    add { $0.rowsAhead = 0 }
    add { $0.weightsAhead = 0 }
    add { $0.weightsAhead *= 4 }
    return variants
  }

  /// Register tiles of other shapes, the most promising first: other strips, and fewer pixels of the same one.
  static func tiles(otherThan tile: ConvolutionTile, _ problem: Problem, target: Target) -> [ConvolutionTile] {
    let blocks = ceilDivide(problem.output.channels, channelBlock)
    // A pixel's sums and the weights that they take share the registers.
    let widest = min(4, blocks, target.registers * target.lanes / (2 * channelBlock))
    var others = (0..<widest).map { $0 + 1 }.filter { $0 != tile.strip }
      .map { self.tile(problem, target: target, strip: $0) }
    let fewer = self.tile(problem, target: target, strip: tile.strip, pixels: tile.rows * tile.columns - 1)
    if (fewer.rows, fewer.columns) != (tile.rows, tile.columns) { others.append(fewer) }
    let limit = 1.5 * cycles(tile, problem, target: target)
    return others.map { ($0, cycles($0, problem, target: target)) }.filter { $0.1 < limit }
      .sorted { $0.1 < $1.1 }.map(\.0)
  }
}
