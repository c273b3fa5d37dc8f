/// A weighted running mean in double precision.
public struct RunningAverage: Codable, Equatable, Sendable {
  public private(set) var sum = 0.0
  public private(set) var weight = 0.0

  public init() {}

  /// Adds a value.
  ///
  /// - Parameter weight: number of samples that the value is the mean of.
  public mutating func add(_ value: Double, weight: Double = 1) {
    sum += value * weight
    self.weight += weight
  }

  /// The mean; nil before the first value.
  public var value: Double? { weight > 0 ? sum / weight : nil }
}
