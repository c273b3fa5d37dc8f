/// A confusion matrix: counts of predictions by true class.
public struct ConfusionMatrix: Codable, Equatable, Sendable {
  public let classes: Int
  /// Counts as `counts[truth * classes + prediction]`.
  public private(set) var counts: [Int]

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  /// - Precondition: `counts` holds `classes * classes` numbers.
  public init(classes: Int, counts: [Int]) {
    precondition(counts.count == classes * classes, "\(classes) classes have \(classes * classes) counts")
    self.classes = classes
    self.counts = counts
  }

  public mutating func add(truth: Int, prediction: Int) { counts[truth * classes + prediction] += 1 }

  public subscript(truth: Int, prediction: Int) -> Int { counts[truth * classes + prediction] }

  public var total: Int { counts.reduce(0, +) }

  /// Returns the number of images of a class.
  public func support(_ truth: Int) -> Int { (0..<classes).reduce(0) { $0 + self[truth, $1] } }

  /// Accuracy over all images; nil without images.
  public var accuracy: Double? { ratio((0..<classes).reduce(0) { $0 + self[$1, $1] }, total) }

  /// Returns the recall of a class.
  public func recall(_ truth: Int) -> Double? { ratio(self[truth, truth], support(truth)) }

  /// Returns the precision of a class.
  public func precision(_ prediction: Int) -> Double? {
    ratio(self[prediction, prediction], (0..<classes).reduce(0) { $0 + self[$1, prediction] })
  }

  /// Returns the most frequent confusions, sorted by count and then by class.
  public func confusions(limit: Int) -> [(truth: Int, prediction: Int, count: Int)] {
    let mistakes = counts.indices.filter { $0 / classes != $0 % classes && counts[$0] > 0 }
    return mistakes.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(limit).map {
      ($0 / classes, $0 % classes, counts[$0])
    }
  }

  private func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }
}
