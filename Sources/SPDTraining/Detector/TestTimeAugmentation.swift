import SPD
import SPDVision

/// Test-time augmentation as the reference has it: three passes at the scales 1, 0.83 and 0.67, the second with the image
/// mirrored. Their decoded rows are brought back to the input's pixels and suppressed together.
///
/// The coarsest level of the first pass and the finest of the last are dropped: large objects are found better in the
/// smaller image, small ones in the larger.
enum TestTimeAugmentation {
  struct Pass: Equatable {
    var scale: Double
    var isMirrored: Bool
  }

  static let passes = [
    Pass(scale: 1, isMirrored: false), Pass(scale: 0.83, isMirrored: true), Pass(scale: 0.67, isMirrored: false),
  ]
  /// Grey 114 of 255, rounded as in the reference.
  static let pad: Float = 0.447

  /// The input of a pass: the image scaled to ⌊side·scale⌋, padded to ⌈side·scale/stride⌉·stride.
  struct Shape: Equatable {
    var scaled, padded: Size2D

    init(_ pass: Pass, of size: Size2D, stride: Int) {
      func padded(_ side: Int) -> Int { Int((Double(side) * pass.scale / Double(stride)).rounded(.up)) * stride }
      scaled = Size2D(max(Int(Double(size.height) * pass.scale), 1), max(Int(Double(size.width) * pass.scale), 1))
      self.padded = pass.scale == 1 ? size : Size2D(padded(size.height), padded(size.width))
    }
  }

  /// The rows that count of a pass's output, in the order of Detect: level by level, finest first.
  ///
  /// - Parameter size: the pass's input in pixels.
  static func rows(ofPass index: Int, size: Size2D, _ boxes: Op.DecodeBoxes) -> Range<Int> {
    let levels = boxes.strides.map { size.height / $0 * (size.width / $0) * boxes.anchorsPerLevel }
    let count = levels.reduce(0, +)
    guard levels.count > 1 else { return 0..<count }
    if index == 0 { return 0..<count - levels[levels.count - 1] }
    return index == passes.count - 1 ? levels[0]..<count : 0..<count
  }

  /// Appends a pass's rows, their boxes in pixels of the input: divided by the scale, then mirrored about `width`.
  static func append(
    _ rows: Slice<UnsafeBufferPointer<Float>>, length: Int, _ pass: Pass, width: Int, to all: inout [Float]
  ) {
    var start = all.count
    all += rows
    let scale = Float(pass.scale)
    while start < all.count {
      for index in start..<start + 4 { all[index] /= scale }
      if pass.isMirrored { all[start] = Float(width) - all[start] }
      start += length
    }
  }
}
