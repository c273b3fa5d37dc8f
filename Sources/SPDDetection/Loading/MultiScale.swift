import SPD

/// The sizes of multi-scale training.
public enum MultiScale {
  /// All sizes that a batch can have, ascending: a module is needed for each.
  public static func sizes(imageSize: Int, stride: Int = 32) -> [Int] {
    Array(Swift.stride(from: imageSize / 2 / stride * stride, through: last(imageSize, stride), by: stride))
      .filter { $0 > 0 }
  }

  /// Draws the size of a batch: ⌊u/stride⌋·stride of an integer u from size/2 up to 3·size/2 + stride, exclusive.
  static func size(imageSize: Int, stride: Int, seed: UInt64, epoch: Int, batch: Int) -> Int {
    var random = SplitMix64(.imageSize, seed, UInt64(epoch), UInt64(batch))
    let low = imageSize / 2
    let drawn = low + random.below(imageSize * 3 / 2 + stride - low)
    return max(drawn / stride * stride, stride)
  }

  private static func last(_ imageSize: Int, _ stride: Int) -> Int {
    (imageSize * 3 / 2 + stride - 1) / stride * stride
  }

  /// Resizes a plane of floats bilinearly with half-pixel centres and no antialiasing, as PyTorch's `interpolate` does
  /// without aligned corners: position (x + ½)·in/out − ½, not below 0.
  static func resize(
    _ source: UnsafePointer<Float>, size: Int, into target: UnsafeMutablePointer<Float>, size targetSize: Int
  ) {
    let scale = Float(size) / Float(targetSize)
    let taps = (0..<targetSize).map { position in
      let centre = max((Float(position) + 0.5) * scale - 0.5, 0)
      let first = min(Int(centre), size - 1)
      return (first: first, second: min(first + 1, size - 1), fraction: centre - Float(first))
    }
    for (y, row) in taps.enumerated() {
      let (above, below) = (source + row.first * size, source + row.second * size)
      for (x, column) in taps.enumerated() {
        let upper = above[column.first] + (above[column.second] - above[column.first]) * column.fraction
        let lower = below[column.first] + (below[column.second] - below[column.first]) * column.fraction
        target[y * targetSize + x] = upper + (lower - upper) * row.fraction
      }
    }
  }
}
