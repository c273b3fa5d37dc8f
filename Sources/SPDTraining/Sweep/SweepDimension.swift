import Foundation
import SPD
import SPDDriver

/// The values of one searched setting.
public struct SweepDimension: Sendable {
  public enum Values: Equatable, Sendable {
    case choices([String])
    /// A uniform or log-uniform range; continuous, or `steps` equidistant values including both ends.
    case range(ClosedRange<Double>, isLogarithmic: Bool, steps: Int?)
  }

  public let key: String
  public let values: Values
  /// Where the space names the setting.
  let source: Setting.Source
  /// Whether values are rounded to integers.
  let isWhole: Bool

  /// Number of values; nil for a continuous range.
  var count: Int? {
    switch values {
    case .choices(let words): words.count
    case .range(_, _, let steps): steps
    }
  }

  /// Returns one of finitely many values.
  func word(_ index: Int) -> String {
    switch values {
    case .choices(let words): words[index]
    case .range(_, _, let steps): word(at: steps! > 1 ? Double(index) / Double(steps! - 1) : 0.5)
    }
  }

  func sample(_ random: inout SplitMix64) -> String {
    if let count { return word(random.below(count)) }
    return word(at: random.uniform())
  }

  /// Returns the value at a fraction of the range, rounded to four digits to keep tables readable.
  private func word(at part: Double) -> String {
    guard case .range(let bounds, let isLogarithmic, _) = values else { preconditionFailure("choices have no parts") }
    let (low, high) = (bounds.lowerBound, bounds.upperBound)
    let value = isLogarithmic ? low * pow(high / low, part) : low + (high - low) * part
    if isWhole { return String(Int(value.rounded())) }
    let rounded = Double(String(format: "%.4g", value))!
    // Rounding must not exceed an end with more than four digits.
    return min(max(rounded, low), high).word
  }
}
