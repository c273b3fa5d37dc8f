import SPD

/// k-means over the sizes of objects, each axis divided by its standard deviation.
enum AnchorKMeans {
  /// Returns `count` mean sizes of the best of `restarts` runs: of those that keep all clusters, the one with the
  /// smallest mean distance. Each starts from distinct random objects, drops clusters that lose all objects, and ends
  /// when the mean distance changes by at most 10⁻⁵.
  ///
  /// - Returns: nil where there are too few different sizes.
  static func centres(
    of sizes: [SIMD2<Float>], count: Int, restarts: Int, random: inout SplitMix64
  ) -> [SIMD2<Float>]? {
    guard sizes.count >= count, count > 0 else { return nil }
    let points = sizes.map { SIMD2(Double($0.x), Double($0.y)) }
    let mean = points.reduce(.zero, +) / Double(points.count)
    let variance = points.reduce(SIMD2<Double>.zero) { $0 + ($1 - mean) * ($1 - mean) } / Double(points.count)
    // Equal values have no deviation to divide by.
    let deviation = variance.squareRoot().replacing(with: 1, where: variance .== 0)
    let whitened = points.map { $0 / deviation }
    var best: (centres: [SIMD2<Double>], distance: Double)?
    for _ in 0..<restarts {
      let run = run(whitened, from: distinct(count, of: whitened, &random))
      if run.centres.count == count && run.distance < best?.distance ?? .infinity { best = run }
    }
    return best?.centres.map { centre in
      let size = centre * deviation
      return SIMD2(Float(size.x), Float(size.y))
    }
  }

  private static func distinct(
    _ count: Int, of points: [SIMD2<Double>], _ random: inout SplitMix64
  ) -> [SIMD2<Double>] {
    var chosen: Set<Int> = []
    // Floyd's algorithm: every set is equally likely.
    for last in points.count - count..<points.count {
      let index = random.below(last + 1)
      chosen.insert(chosen.contains(index) ? last : index)
    }
    return chosen.sorted().map { points[$0] }
  }

  private static func run(
    _ points: [SIMD2<Double>], from start: [SIMD2<Double>]
  ) -> (centres: [SIMD2<Double>], distance: Double) {
    var centres = start
    var previous = Double.infinity
    // It ends by itself; the limit is for sums that rounding keeps moving.
    for _ in 0..<1000 {
      var sums = [SIMD2<Double>](repeating: .zero, count: centres.count)
      var counts = [Int](repeating: 0, count: centres.count)
      var total = 0.0
      for point in points {
        var (nearest, smallest) = (0, Double.infinity)
        for (index, centre) in centres.enumerated() {
          let offset = point - centre
          let squared = offset.x * offset.x + offset.y * offset.y
          if squared < smallest { (nearest, smallest) = (index, squared) }
        }
        sums[nearest] += point
        counts[nearest] += 1
        total += smallest.squareRoot()
      }
      let distance = total / Double(points.count)
      centres = centres.indices.compactMap { counts[$0] > 0 ? sums[$0] / Double(counts[$0]) : nil }
      let change = abs(previous - distance)
      previous = distance
      if change <= 1e-5 { break }
    }
    return (centres, previous)
  }
}
