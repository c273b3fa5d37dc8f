/// How well anchors fit the sizes of objects. Sizes are widths and heights in pixels.
///
/// An anchor fits an object by x = min over width and height of min(r, 1/r), r = size / anchor: 1 for equal sizes.
public struct AnchorFitness: Sendable, Equatable, Codable {
  /// Fraction of the objects that an anchor may be matched with: x > 1/threshold for one of them at least.
  public let bestPossibleRecall: Double
  /// Average number of anchors that an object may be matched with.
  public let anchorsPerObject: Double
  /// Mean over all objects of the best x, counting those of at most 1/threshold as 0.
  public let fitness: Double

  /// Measures anchors; all results are 0 without objects.
  ///
  /// - Parameter threshold: maximum ratio of sides, `anchor_t`.
  public init(anchors: [SIMD2<Float>], sizes: [SIMD2<Float>], threshold: Double) {
    let limit = Float(1 / threshold)
    var (recalled, matched, sum) = (0, 0, 0.0)
    for size in sizes {
      var best: Float = 0
      for anchor in anchors {
        let x = Self.match(size, anchor)
        best = max(best, x)
        if x > limit { matched += 1 }
      }
      if best > limit {
        recalled += 1
        sum += Double(best)
      }
    }
    let count = Double(max(sizes.count, 1))
    bestPossibleRecall = Double(recalled) / count
    anchorsPerObject = Double(matched) / count
    fitness = sum / count
  }

  @inline(__always)
  private static func match(_ size: SIMD2<Float>, _ anchor: SIMD2<Float>) -> Float {
    let ratio = size / anchor
    let smaller = pointwiseMin(ratio, anchor / size)
    return min(smaller.x, smaller.y)
  }
}
