/// A loss as arithmetic on the numbers of the network's result and what they should be: what `Loss` records.
///
/// It is the sum of the values over all numbers of the result, divided by what `average` says.
public struct LossExpression: Codable, Hashable, Sendable {
  public enum Average: String, Codable, Sendable {
    /// The mean over all numbers of the result.
    case elements
    /// Summed over the numbers of an image, the mean over images.
    case images
  }

  /// The loss of one number of the result.
  public var values: ScalarExpression
  public var average: Average

  init(_ values: ScalarExpression, average: Average) {
    self.values = values
    self.average = average
  }

  private enum CodingKeys: String, CodingKey { case average }

  /// The terms and the average lie side by side in a graph file.
  public init(from decoder: any Decoder) throws {
    values = try ScalarExpression(from: decoder)
    average = try decoder.container(keyedBy: CodingKeys.self).decode(Average.self, forKey: .average)
  }

  public func encode(to encoder: any Encoder) throws {
    try values.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(average, forKey: .average)
  }

  var isWellFormed: Bool { values.isWellFormed }
}

extension LossExpression: CustomStringConvertible {
  public var description: String { values.description }
}
