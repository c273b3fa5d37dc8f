import SPD

/// Picks strip, tile, unit and order of a direct convolution, from a small model of the processor.
///
/// A lane of the reduction costs one weight load per vector of the strip, one broadcast per pixel, and their product in
/// multiply-adds; the tile is what keeps two multiply-add units of latency four busy without spilling accumulators.
enum ChooseTile {
  /// What the choice depends on.
  struct Problem {
    var output: Shape
    /// Length of the reduction as stored, taps included.
    var depth: Int
    /// A common multiple of the segments' upsampling factors; tile columns are multiples of it.
    var repeats = 1
    /// Bytes of input that the convolution reads.
    var sourceBytes: Int
  }

  /// - Parameters:
  ///   - strip: blocks of outputs; by default what suits the target.
  ///   - pixels: at most so many in a register tile, where fewer are to be tried.
  static func tile(
    _ problem: Problem, target: Target, strip wanted: Int? = nil, pixels: Int = .max
  ) -> ConvolutionTile {
    let output = problem.output
    let vectors = channelBlock / target.lanes
    let blocks = ceilDivide(output.channels, channelBlock)
    // All registers but two weights, a broadcast and one to spare; without fused products more are in flight.
    let room = target.registers - (target.hasFusedMultiplyAdd ? 4 : 8)
    let strip = wanted ?? stripBlocks(output, blocks: blocks, vectors: vectors, room: room, target: target)
    let most = max(1, min(pixels, room / (strip * vectors)))

    var rows = 1
    var columns = output.width
    if output.width <= most {
      // A small map: several whole rows in one tile, in even shares.
      rows = ceilDivide(output.height, ceilDivide(output.height, max(1, most / output.width)))
      if rows % problem.repeats != 0 { rows = 1 }
    } else {
      columns = tileColumns(output.width, most: most, perPixel: strip * vectors, repeats: problem.repeats)
    }

    // What would have to come again from beyond the second-level cache? Band by band it is the weights, once for each
    // band; strip by strip the input, once for each strip.
    let weightBytes = problem.depth * blocks * channelBlock * 4
    let weightsAgain =
      weightBytes > target.l2Bytes * 5 / 8
      ? weightBytes * output.batch * ceilDivide(output.height, rows) : 0
    // An input of whole batches does not stay in the last cache either, where a byte costs three times as much, and is not fetched
    // ahead as well as weights, which are one stream: about twice as much again.
    let sourceCost = problem.sourceBytes >= Target.cacheBytes / 4 ? 6 : 1
    let sourceAgain =
      problem.sourceBytes > target.l2Bytes / 2 ? sourceCost * problem.sourceBytes * ceilDivide(blocks, strip) : 0
    return ConvolutionTile(
      strip: strip, rows: rows, columns: columns, unitRows: rows, stripMajor: sourceAgain < weightsAgain,
      rowsAhead: rows, weightsAhead: 2048, streams: streams(output))
  }

  /// Two vectors of weights against each broadcast; three if an odd number of blocks then needs no lone last one; more
  /// where the map is too small to fill the registers with pixels.
  private static func stripBlocks(_ output: Shape, blocks: Int, vectors: Int, room: Int, target: Target) -> Int {
    var wide = max(1, 2 / vectors)
    if wide == 2, target.registers >= 32, blocks % 2 == 1, blocks % 3 != 1 { wide = 3 }
    while wide * 2 * vectors * output.height * output.width <= room, wide * 2 <= blocks { wide *= 2 }
    return min(wide, blocks)
  }

  /// The width of tiles that makes a row cheapest; of equals one without a tail, then one of at most 24 accumulators
  /// (compilers spill near the limit), then the widest.
  private static func tileColumns(_ width: Int, most: Int, perPixel: Int, repeats: Int) -> Int {
    func cycles(_ pixels: Int) -> Double { laneCycles(pixels: pixels, vectors: perPixel) }
    func cost(_ columns: Int) -> Double {
      let total = Double(width / columns) * cycles(columns) + cycles(width % columns)
      return ((width % columns == 0 ? total : total * 1.02) * 1e6).rounded()
    }
    func isBetter(_ a: Int, _ b: Int) -> Bool {
      let (costA, costB) = (cost(a), cost(b))
      if costA != costB { return costA < costB }
      let (manyA, manyB) = (a * perPixel > 24, b * perPixel > 24)
      return manyA != manyB ? manyB : a > b
    }
    let candidates = stride(from: repeats, through: max(most, repeats), by: repeats)
      .filter { width % $0 % repeats == 0 }
    return candidates.dropFirst().reduce(candidates[0]) { isBetter($1, $0) ? $1 : $0 }
  }

  /// Whether an output is so large that the next layer finds little of it in a cache.
  static func streams(_ output: Shape) -> Bool { output.count * 4 >= Target.cacheBytes * 3 / 8 }

  /// Cycles that one lane of the reduction takes a register tile of `pixels` × `vectors`.
  static func laneCycles(pixels: Int, vectors: Int) -> Double {
    guard pixels > 0 else { return 0 }
    let chains = Double(pixels * vectors)
    let loads = Double(pixels + vectors) / 2
    // Short dependency chains were measured to cost 3.5 % for each one missing to 13.
    return max(chains / 2, 4, loads) * (1 + 0.035 * max(0, 13 - chains))
  }

  /// Arithmetic and memory run side by side, but not quite.
  static func overlap(_ arithmetic: Double, _ memory: Double) -> Double {
    max(arithmetic, memory) + 0.5 * min(arithmetic, memory)
  }

  /// Cycles of one thread without the epilogue.
  static func cycles(_ tile: ConvolutionTile, _ problem: Problem, target: Target) -> Double {
    let vectors = channelBlock / target.lanes
    let output = problem.output
    let blocks = ceilDivide(output.channels, channelBlock)
    func line(_ blocks: Int) -> Double {
      let whole =
        Double(output.width / tile.columns) * laneCycles(pixels: tile.rows * tile.columns, vectors: blocks * vectors)
      return whole + laneCycles(pixels: tile.rows * (output.width % tile.columns), vectors: blocks * vectors)
    }
    let bands = Double(output.batch * ceilDivide(output.height, tile.rows) * problem.depth)
    let arithmetic = bands * (Double(blocks / tile.strip) * line(tile.strip) + line(blocks % tile.strip))
    let weights = problem.depth * blocks * channelBlock * 4
    return overlap(arithmetic * 1.05, Double(weights) / Target.memoryBytesPerCycle)
  }

  static func ceilDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
}
