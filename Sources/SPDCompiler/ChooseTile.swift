import SPD

/// Picks tile, unit and order of a direct convolution.
enum ChooseTile {
  /// - Parameters:
  ///   - depth: length of the reduction as stored, taps included.
  ///   - repeats: common multiple of the segments' upsampling factors; tiles are multiples of it.
  static func tile(
    output: Shape, depth: Int, repeats: Int, target: Target
  ) -> ConvolutionTile {
    let vectors = channelBlock / target.lanes
    let blocks = (output.channels + channelBlock - 1) / channelBlock
    // Each lane costs as many weight loads as the strip has vectors and as many broadcasts as the tile has pixels: two
    // blocks are best where registers allow it, three where that leaves no narrow last strip.
    var strip = min(target.registers >= 32 && target.lanes == 16 ? 2 : 1, blocks)
    if target.lanes == 16, target.registers >= 32, blocks == 3 { strip = 3 }
    // Accumulators, one broadcast, the strip's weights.
    let most = max(1, (target.registers - 4) / (strip * vectors))
    var rows = 1
    var columns: Int
    if output.width <= most {
      columns = output.width
      // Narrow maps: a tile takes several whole rows.
      rows = max(1, min(output.height, most / columns))
      rows = ceilDivide(output.height, ceilDivide(output.height, rows))
      if rows % repeats != 0 { rows = 1 }
    } else {
      // The fewest tiles per row, as equal as possible.
      columns = ceilDivide(output.width, ceilDivide(output.width, most))
      if columns % repeats != 0 { columns = max(columns / repeats * repeats, repeats) }
    }
    let weightBytes = depth * blocks * channelBlock * 4
    return ConvolutionTile(
      strip: strip, rows: rows, columns: columns, unitRows: rows, stripMajor: weightBytes > target.l2Bytes / 2,
      rowsAhead: rows, weightsAhead: 2048)
  }

  static func ceilDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
}
