/// The order of rectangular batches, and their shapes.
public struct RectangularBatches: Sendable, Equatable {
  /// Image indices, sorted by aspect ratio height / width; the sort is stable.
  public let order: [Int]
  /// Input size of each batch.
  public let shapes: [Shape]

  public struct Shape: Sendable, Hashable {
    public var height, width: Int

    public init(height: Int, width: Int) {
      self.height = height
      self.width = width
    }
  }

  /// Computes the shapes. A batch of landscape images, of maximum aspect a, is a × 1; one of portrait images, of minimum
  /// aspect a, is 1 × 1/a; all others are 1 × 1. Each side is ⌈side·imageSize/stride + pad⌉·stride.
  ///
  /// - Parameter sizes: width and height of each image; one without pixels counts as a square.
  public init(sizes: [(width: Int, height: Int)], batchSize: Int, imageSize: Int, stride: Int, pad: Double) {
    let aspects = sizes.map { $0.width > 0 && $0.height > 0 ? Double($0.height) / Double($0.width) : 1 }
    let order = aspects.indices.sorted { (aspects[$0], $0) < (aspects[$1], $1) }
    self.order = order
    shapes = Swift.stride(from: 0, to: order.count, by: batchSize).map { start in
      let lowest = aspects[order[start]]
      let highest = aspects[order[min(start + batchSize, order.count) - 1]]
      // The longer side is imageSize, so the shorter one never exceeds it.
      func side(_ part: Double) -> Int {
        Int((part * Double(imageSize) / Double(stride) + pad).rounded(.up)) * stride
      }
      if highest < 1 { return Shape(height: side(highest), width: side(1)) }
      if lowest > 1 { return Shape(height: side(1), width: side(1 / lowest)) }
      return Shape(height: side(1), width: side(1))
    }
  }
}
