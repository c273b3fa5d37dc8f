/// A mean that grows: the sum of weighted values and the sum of the weights, in double precision.
public struct RunningAverage: Codable, Equatable, Sendable {
  public private(set) var sum = 0.0
  public private(set) var weight = 0.0

  public init() {}

  /// - Parameter weight: the number of samples that the value is the mean of.
  public mutating func add(_ value: Double, weight: Double = 1) {
    sum += value * weight
    self.weight += weight
  }

  /// Nil before the first value.
  public var value: Double? { weight > 0 ? sum / weight : nil }
}
