import SPD
import SPDVision

/// A random change of a training image.
///
/// Text form, on the command line and in files: `horizontal-flip 0.5`, `vertical-flip 0.5`, `random-crop 4`,
/// `rotation 15`.
public enum Augmentation: Sendable, Equatable {
  /// Mirrors left and right, with this probability.
  case horizontalFlip(Double)
  /// Mirrors top and bottom, with this probability.
  case verticalFlip(Double)
  /// Pads every side with this many black pixels, then crops to the original size at a random position.
  case randomCrop(Int)
  /// Rotates about the centre by an angle within ± this many degrees, nearest neighbour, black outside.
  case rotation(Double)

  /// Returns the changed image, of the same size. Random numbers are drawn whether or not they change anything, so that
  /// the outcome of one augmentation does not affect the next.
  func applied(to image: Image, using random: inout SplitMix64) -> Image {
    switch self {
    case .horizontalFlip(let probability):
      return random.chance(probability) ? image.flippedHorizontally() : image
    case .verticalFlip(let probability):
      return random.chance(probability) ? image.flippedVertically() : image
    case .randomCrop(let padding):
      let top = random.below(2 * padding + 1) - padding
      let left = random.below(2 * padding + 1) - padding
      return image.cropped(left: left, top: top, width: image.width, height: image.height)
    case .rotation(let limit):
      return image.rotated(degrees: random.uniform(-limit, limit))
    }
  }
}

extension Augmentation: LosslessStringConvertible {
  public var description: String {
    switch self {
    case .horizontalFlip(let probability): "horizontal-flip \(probability)"
    case .verticalFlip(let probability): "vertical-flip \(probability)"
    case .randomCrop(let padding): "random-crop \(padding)"
    case .rotation(let limit): "rotation \(limit)"
    }
  }

  /// Returns nil where the text is not an augmentation, a probability is outside 0...1, a padding outside 0...4096, or
  /// an angle outside 0...180.
  public init?(_ description: String) {
    let words = description.split(whereSeparator: \.isWhitespace)
    guard words.count == 2 else { return nil }
    let number = Double(words[1])
    switch (words[0], number) {
    case ("horizontal-flip", let value?) where (0...1).contains(value): self = .horizontalFlip(value)
    case ("vertical-flip", let value?) where (0...1).contains(value): self = .verticalFlip(value)
    case ("rotation", let value?) where (0...180).contains(value): self = .rotation(value)
    case ("random-crop", _):
      guard let padding = Int(words[1]), (0...4096).contains(padding) else { return nil }
      self = .randomCrop(padding)
    default: return nil
    }
  }
}

extension Augmentation: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let augmentation = Augmentation(text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\"\(text)\" is not an augmentation; supported are horizontal-flip PROBABILITY, "
          + "vertical-flip PROBABILITY, random-crop PIXELS (0 to 4096), rotation DEGREES (0 to 180)")
    }
    self = augmentation
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
