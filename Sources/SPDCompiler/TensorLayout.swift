import SPD

/// How an activation lies in memory: [image][row][block][column][16 channels], with a halo of zeros around each image.
///
/// Channels beyond the last one pad the last block; they hold finite numbers and meet zero weights. The halo is what
/// padding reads, so kernels never test for borders. All numbers are in floats unless they say otherwise.
public struct TensorLayout: Codable, Equatable, Sendable {
  public var shape: Shape
  public var halo: Halo

  public struct Halo: Codable, Equatable, Sendable {
    public var top = 0
    public var bottom = 0
    public var left = 0
    public var right = 0

    public init() {}
    public var isEmpty: Bool { self == Halo() }

    mutating func formUnion(_ other: Halo) {
      top = max(top, other.top)
      bottom = max(bottom, other.bottom)
      left = max(left, other.left)
      right = max(right, other.right)
    }
  }

  public init(shape: Shape, halo: Halo = Halo()) {
    self.shape = shape
    self.halo = halo
  }

  public var blocks: Int { (shape.channels + channelBlock - 1) / channelBlock }
  /// From one pixel to the next in a row.
  public var columnStride: Int { channelBlock }
  public var blockStride: Int { (halo.left + shape.width + halo.right) * channelBlock }
  /// Rows that lie a multiple of a kilobyte apart would compete for the same few places in a cache when one block of several
  /// images is read, so that they are moved apart by a cache line.
  public var rowStride: Int {
    let packed = blocks * blockStride
    return shape.batch > 1 && shape.height > 1 && packed % 256 == 0 ? packed + channelBlock : packed
  }
  public var imageStride: Int { (halo.top + shape.height + halo.bottom) * rowStride }
  public var count: Int { shape.batch * imageStride }
  /// Where channel 0 of the first pixel is.
  public var origin: Int { halo.top * rowStride + halo.left * columnStride }

  /// Index of one value.
  public func index(image: Int, channel: Int, row: Int, column: Int) -> Int {
    origin + image * imageStride + row * rowStride + channel / channelBlock * blockStride + column * columnStride
      + channel % channelBlock
  }
}
