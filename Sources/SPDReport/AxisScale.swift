import Foundation

/// The scale of an axis: maps values to positions and selects ticks.
package struct AxisScale {
  package let bounds: ClosedRange<Double>
  package let isLogarithmic: Bool
  package private(set) var ticks: [Double] = []

  /// Makes a scale between round values that encloses the data.
  ///
  /// - Parameters:
  ///   - isTight: whether the axis ends at the data's extremes instead.
  ///   - isWhole: whether only integers are ticks.
  package init(
    covering values: some Sequence<Double>, isLogarithmic: Bool = false, isTight: Bool = false, isWhole: Bool = false,
    ticks wanted: Int = 5
  ) {
    // The range must be finite too.
    let usable = values.filter { $0.magnitude < 1e300 && (!isLogarithmic || $0 > 0) }
    var low = usable.min() ?? (isLogarithmic ? 0.1 : 0)
    var high = usable.max() ?? 1
    self.isLogarithmic = isLogarithmic
    if isLogarithmic {
      if low == high { (low, high) = (low / 2, high * 2) }
      let powers = Self.powers(from: low, to: high)
      bounds = isTight ? low...high : powers.first!...powers.last!
      ticks = powers.filter { bounds.contains($0) }
      // A range within one decade still needs two ticks.
      if ticks.count < 2 { ticks = [low, high] }
      return
    }
    let largest = max(abs(low), abs(high))
    // A range of a few ulps has no ticks within it.
    if high - low <= largest * 1e-12 {
      let margin = largest == 0 ? 1 : largest * 0.1
      (low, high) = (low - margin, high + margin)
    }
    let step = Self.step(for: high - low, count: wanted, isWhole: isWhole)
    // 1e-9 of a step: 0.30000000000000004 is still 0.3.
    let first = isTight ? (low / step - 1e-9).rounded(.up) : (low / step + 1e-9).rounded(.down)
    let last = isTight ? (high / step + 1e-9).rounded(.down) : (high / step - 1e-9).rounded(.up)
    bounds = isTight ? low...high : first * step...last * step
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// Returns the position from 0 (lower end) to 1 (upper end); nil for a value that the axis cannot show.
  package func position(_ value: Double) -> Double? {
    guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
    if isLogarithmic {
      return log(value / bounds.lowerBound) / log(bounds.upperBound / bounds.lowerBound)
    }
    return (value - bounds.lowerBound) / (bounds.upperBound - bounds.lowerBound)
  }

  package func label(_ value: Double) -> String {
    // All ticks of a linear axis have the number of decimals of their step.
    guard !isLogarithmic, ticks.count > 1 else { return Self.short(value) }
    let step = ticks[1] - ticks[0]
    let largest = max(abs(bounds.lowerBound), abs(bounds.upperBound))
    guard largest < 1e6, largest >= 1e-3 || largest == 0 else { return Self.short(value) }
    let decimals = max(0, Int(-log10(step * 1.000001).rounded(.down)))
    let text = String(format: "%.\(min(decimals, 9))f", value)
    return text.hasPrefix("-") && Double(text) == 0 ? String(text.dropFirst()) : text
  }

  /// Formats a value with up to four digits: `0.01793`, `1e-05`, `12`.
  package static func short(_ value: Double) -> String { String(format: "%.4g", value) }

  /// Returns a step of 1, 2 or 5 times a power of ten.
  private static func step(for span: Double, count: Int, isWhole: Bool) -> Double {
    let raw = span / Double(count)
    let power = pow(10, log10(raw).rounded(.down))
    let factor = raw / power
    let step = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10)
    return isWhole ? max(1, step) : step
  }

  /// Returns the powers of ten that enclose the range, with multiples of 2 and 5 if there are few.
  private static func powers(from low: Double, to high: Double) -> [Double] {
    let first = Int((log10(low) + 1e-9).rounded(.down))
    let last = max(first + 1, Int((log10(high) - 1e-9).rounded(.up)))
    let factors: [Double] = last - first <= 2 ? [1, 2, 5] : [1]
    // Skip some of many decades.
    let stride = max(1, (last - first) / 8)
    let ticks = Swift.stride(from: first, to: last, by: stride).flatMap { power in
      factors.map { $0 * pow(10, Double(power)) }
    }
    return ticks + [pow(10, Double(last))]
  }
}
