/// The constants of COCO's evaluation of boxes.
enum COCOProtocol {
  static let thresholdCount = 10
  /// IoU thresholds. The products are rounded as NumPy's `linspace` rounds them: one bit would decide a match.
  static let thresholds: [Double] = linspace(0.5, 0.95, thresholdCount)
  /// Lowest IoU of a match, by threshold: a perfect one must count in spite of rounding.
  static let minimumOverlaps = thresholds.map { min($0, 1 - 1e-10) }
  static let recallPoints: [Double] = linspace(0, 1, 101)
  /// Area of objects in square pixels, both ends included: all, small, medium, large.
  static let areas: [ClosedRange<Double>] = [0...1e10, 0...1024, 1024...9216, 9216...1e10]
  /// Maximum number of detections per image and category.
  static let detectionLimits = [1, 10, 100]

  /// Whether an area counts as inside a range. NaN does, as every comparison with it is false.
  static func contains(_ area: Double, _ range: Int) -> Bool {
    !(area < areas[range].lowerBound || area > areas[range].upperBound)
  }
}

/// `count` evenly spaced numbers from `first` to `last`, rounded as NumPy rounds them.
func linspace(_ first: Double, _ last: Double, _ count: Int) -> [Double] {
  let step = (last - first) / Double(count - 1)
  return (0..<count).map { $0 == count - 1 ? last : Double($0) * step + first }
}

/// A key whose ascending order is the descending order of scores, with NaN last.
func rankingKey(_ score: Double) -> UInt64 {
  if score.isNaN { return .max }
  // Adding 0 turns -0 into 0, which it equals.
  let bits = (score + 0).bitPattern
  return bits >> 63 == 1 ? bits : ~bits & ~(1 << 63)
}
