/// How often images of each class were taken for each class.
public struct ConfusionMatrix: Codable, Equatable, Sendable {
  public let classes: Int
  /// `counts[truth * classes + prediction]`.
  public private(set) var counts: [Int]

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  public mutating func add(truth: Int, prediction: Int) { counts[truth * classes + prediction] += 1 }

  public subscript(truth: Int, prediction: Int) -> Int { counts[truth * classes + prediction] }

  public var total: Int { counts.reduce(0, +) }

  /// Images of a class.
  public func support(_ truth: Int) -> Int { (0..<classes).reduce(0) { $0 + self[truth, $1] } }

  /// The part of all images that was recognised; nil where there are none.
  public var accuracy: Double? { ratio((0..<classes).reduce(0) { $0 + self[$1, $1] }, total) }

  /// The part of a class's images that was recognised.
  public func recall(_ truth: Int) -> Double? { ratio(self[truth, truth], support(truth)) }

  /// The part of the images taken for a class that are of it.
  public func precision(_ prediction: Int) -> Double? {
    ratio(self[prediction, prediction], (0..<classes).reduce(0) { $0 + self[$1, prediction] })
  }

  /// The mistakes that were made most often, the most frequent first; of equally frequent ones, by class.
  public func confusions(limit: Int) -> [(truth: Int, prediction: Int, count: Int)] {
    let mistakes = counts.indices.filter { $0 / classes != $0 % classes && counts[$0] > 0 }
    return mistakes.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(limit).map {
      ($0 / classes, $0 % classes, counts[$0])
    }
  }

  private func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }
}
