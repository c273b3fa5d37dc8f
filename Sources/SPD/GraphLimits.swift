/// The largest sizes that a graph may have, so that no arithmetic on them overflows, here or in generated C.
package enum GraphLimits {
  /// Maximum extent of a tensor or parameter along one axis.
  package static let extent = 1 << 24
  /// Maximum of batch × height × width: generated C counts pixels in 32 bits.
  package static let pixels = 1 << 30
  /// Values of one tensor or parameter.
  package static let values = 1 << 34
  /// Maximum of kernel, stride, padding, dilation, scale of an upsampling and anchors per level.
  package static let kernel = 1 << 12
  /// Maximum scale of a space-to-depth: each of its scale² phases is a view of its own.
  package static let scale = 64
  /// Views of one operand that passes may make; beyond it the reindexing is written out by a copy.
  package static let segments = 1 << 12
  package static let nodes = 10_000
  package static let parameters = 50_000
  package static let lossTerms = 1000
  package static let activationTerms = 100
  /// Letters of an activation's name.
  package static let activationName = 40
  /// Bytes of a name.
  package static let name = 255

  /// The number of values of a shape; nil if it is not a plausible one.
  package static func count(_ shape: [Int]) -> Int? {
    var count = 1
    for extent in shape {
      guard (1...GraphLimits.extent).contains(extent), count <= values / extent else { return nil }
      count *= extent
    }
    return count
  }
}

extension Shape {
  /// Throws if there is no code for tensors of this shape.
  func checkLimits() throws(ShapeError) {
    let extents = [batch, channels, height, width]
    guard GraphLimits.count(extents) != nil, GraphLimits.count([batch, height, width])! <= GraphLimits.pixels else {
      throw ShapeError(
        "the result would be \(batch)×\(self), but a tensor has 1 to \(GraphLimits.extent) along each axis, at most "
          + "\(GraphLimits.pixels) pixels (batch × height × width) and \(GraphLimits.values) values")
    }
  }
}

extension Int {
  /// The nearest number to `value` that conversion does not trap for; what is too large for a graph stays so.
  init(saturating value: Double) {
    self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -0x1p40), 0x1p40))
  }

  /// The product, or a number that is too large for a graph.
  func saturatingProduct(_ other: Int) -> Int {
    let (product, overflows) = multipliedReportingOverflow(by: other)
    return overflows ? (self < 0) == (other < 0) ? .max : .min : product
  }
}
