import SPD
import SPDVision

/// One random change of a training image.
///
/// As text, on the command line and in files: `horizontal-flip 0.5`, `vertical-flip 0.5`, `random-crop 4`,
/// `rotation 15`.
public enum Augmentation: Sendable, Equatable {
  /// Left and right exchanged, with this probability.
  case horizontalFlip(Double)
  /// Top and bottom exchanged, with this probability.
  case verticalFlip(Double)
  /// This many black pixels on every side, then a part of the old size at a random place.
  case randomCrop(Int)
  /// Rotated about the centre by an angle in ± this many degrees, nearest neighbour, black outside.
  case rotation(Double)

  /// The image after the change, of the same size. Numbers are drawn whether or not they change anything, so one
  /// step's luck does not alter the next step's.
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

  /// Nil where the text is no augmentation, a probability is outside 0...1, a padding outside 0...4096, or an angle
  /// outside 0...180.
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
        debugDescription: "\"\(text)\" is no augmentation; there are horizontal-flip PROBABILITY, vertical-flip "
          + "PROBABILITY, random-crop PIXELS (0 to 4096), rotation DEGREES (0 to 180)")
    }
    self = augmentation
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
