import Foundation
import SPD
import SPDDriver

/// The values that a sweep tries for one setting.
public struct SweepDimension: Sendable {
  public enum Values: Equatable, Sendable {
    case choices([String])
    /// Evenly, or evenly in the logarithm; `steps` values with the same distance, both ends among them, or any.
    case range(ClosedRange<Double>, isLogarithmic: Bool, steps: Int?)
  }

  public let key: String
  public let values: Values
  /// Whether a range has whole numbers only.
  let isWhole: Bool

  /// How many values there are; nil where there is no end of them.
  var count: Int? {
    switch values {
    case .choices(let words): words.count
    case .range(_, _, let steps): steps
    }
  }

  /// One of finitely many values.
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

  /// The value at a part of the range, to four digits: more make no difference, and the table remains readable.
  private func word(at part: Double) -> String {
    guard case .range(let bounds, let isLogarithmic, _) = values else { preconditionFailure("choices have no parts") }
    let (low, high) = (bounds.lowerBound, bounds.upperBound)
    let value = isLogarithmic ? low * pow(high / low, part) : low + (high - low) * part
    if isWhole { return String(Int(value.rounded())) }
    let rounded = Double(String(format: "%.4g", value))!
    // An end with more digits than four must not be left by rounding.
    return min(max(rounded, low), high).word
  }
}
