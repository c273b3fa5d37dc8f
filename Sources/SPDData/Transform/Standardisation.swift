import SPDVision

/// The conversion of pixel values to a network's input: `(value − mean) / std` per channel.
public struct Standardisation: Codable, Sendable, Equatable {
  /// The value range that bytes are converted to.
  public enum Scale: String, Codable, Sendable {
    /// Bytes divided by 255: mean and deviation are on the scale 0...1.
    case unit
    /// Unchanged bytes: mean and deviation are on the scale 0...255.
    case byte
  }

  public var scale: Scale
  /// Per channel: R, G, B.
  public var mean, std: [Float]

  public init(scale: Scale, mean: [Float], std: [Float]) {
    self.scale = scale
    self.mean = mean
    self.std = std
  }

  /// Output range −2 to 2, for images of unknown statistics.
  public static let plain = Standardisation(scale: .unit, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])

  /// The same as a `Normalisation`, so that prediction computes the same numbers.
  public var normalisation: Normalisation {
    precondition(isValid, "mean and std have three values each, and std is not 0")
    return Normalisation(
      mean: SIMD3(mean[0], mean[1], mean[2]), std: SIMD3(std[0], std[1], std[2]), scale: scale == .unit ? 1 / 255 : 1)
  }

  var isValid: Bool {
    mean.count == 3 && std.count == 3 && mean.allSatisfy(\.isFinite) && std.allSatisfy { $0.isFinite && $0 != 0 }
  }

  /// The standardised value of each of the 256 bytes: `table[channel * 256 + byte]`.
  var table: [Float] {
    let ramp = Image(width: 256, height: 1, pixels: (0..<256).flatMap { [UInt8](repeating: UInt8($0), count: 3) })
    return normalised([ramp], normalisation)
  }
}
