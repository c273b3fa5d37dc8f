/// The shape of an activation, in PyTorch's order: batch, channels, height, width.
///
/// Everything in a graph has four dimensions; a vector of classes is `N×C×1×1`.
public struct Shape: Codable, Hashable, Sendable, CustomStringConvertible {
  public var batch: Int
  public var channels: Int
  public var height: Int
  public var width: Int

  public init(batch: Int, channels: Int, height: Int, width: Int) {
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// Number of values.
  public var count: Int { batch * channels * height * width }

  /// Without the batch, as messages and the text of a graph print it: `96×320×320`.
  public var description: String { "\(channels)×\(height)×\(width)" }

  public var size: Size2D { Size2D(height, width) }
}

/// A height and a width: a kernel, a stride, a padding. An integer literal means a square.
public struct Size2D: Codable, Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
  public var height: Int
  public var width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  public init(_ side: Int) { self.init(side, side) }
  public init(integerLiteral side: Int) { self.init(side, side) }

  public var area: Int { height * width }
  public var description: String { height == width ? "\(height)" : "\(height)×\(width)" }
}
