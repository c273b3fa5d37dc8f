/// How an 8-bit image becomes the input of a network: fitted to its size, then `(value − mean) / std` by channel.
public struct ImagePreprocessing: Codable, Equatable, Sendable {
  /// The values of a black and a white pixel before mean and standard deviation.
  public enum ValueRange: String, Codable, Sendable {
    case unit = "0-1"
    case byte = "0-255"
  }

  /// How an image of another size is fitted to the input.
  public enum Fit: String, Codable, Sendable {
    /// Scaled by one factor until it covers the input, and the middle of it taken.
    case crop
    /// Scaled to the input's width and height, which may distort it.
    case stretch
    /// Scaled by one factor until it fits into the input, centred, and padded with grey 114, as detectors do.
    case letterbox
  }

  public var valueRange: ValueRange
  /// For red, green and blue, in the units of `valueRange`.
  public var mean, std: [Double]
  public var fit: Fit

  public init(valueRange: ValueRange, mean: [Double], std: [Double], fit: Fit) {
    (self.valueRange, self.mean, self.std, self.fit) = (valueRange, mean, std, fit)
  }

  /// Whether there are three finite means and three finite standard deviations above 0.
  public var isValid: Bool {
    mean.count == 3 && std.count == 3 && mean.allSatisfy(\.isFinite) && std.allSatisfy { $0.isFinite && $0 > 0 }
  }
}

extension ImagePreprocessing: CustomStringConvertible {
  /// `values 0-1, mean 0.5 0.5 0.5, std 0.25 0.25 0.25`
  public var description: String {
    func list(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: " ") }
    return "values \(valueRange.rawValue), mean \(list(mean)), std \(list(std))"
  }
}
