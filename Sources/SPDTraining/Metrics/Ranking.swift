/// Ranks classes by an image's scores. The lower class index wins ties; NaN ranks last.
public enum Ranking {
  /// Returns the rank of `label`, from 0: a value below k is a top-k hit.
  ///
  /// - Precondition: `label` is an index of `scores`.
  public static func rank(of label: Int, in scores: some RandomAccessCollection<Float>) -> Int {
    let own = scores[scores.index(scores.startIndex, offsetBy: label)]
    // A NaN score is never a hit.
    if own.isNaN { return scores.count }
    var rank = 0
    for (index, score) in scores.enumerated() where score > own || (score == own && index < label) { rank += 1 }
    return rank
  }

  /// Returns the class with the highest score; 0 if all are NaN.
  public static func best(in scores: some RandomAccessCollection<Float>) -> Int {
    var best = 0
    var highest = -Float.infinity
    for (index, score) in scores.enumerated() where score > highest {
      highest = score
      best = index
    }
    return best
  }
}

/// Loss, top-1 and top-5 accuracy over a set of images.
public struct ClassificationMetrics: Codable, Equatable, Sendable {
  public private(set) var loss = RunningAverage()
  public private(set) var top1 = RunningAverage()
  public private(set) var top5 = RunningAverage()

  public init() {}

  /// Adds one mini-batch.
  ///
  /// - Parameters:
  ///   - loss: mean over the mini-batch.
  ///   - scores: logits or probabilities, `labels.count` × `classes`, row-major.
  /// - Precondition: every label is below `classes`.
  public mutating func add(loss: Double, scores: UnsafeBufferPointer<Float>, labels: [Int], classes: Int) {
    precondition(scores.count == labels.count * classes, "scores are images × classes")
    self.loss.add(loss, weight: Double(labels.count))
    for (image, label) in labels.enumerated() {
      let row = UnsafeBufferPointer(rebasing: scores[image * classes..<(image + 1) * classes])
      let rank = Ranking.rank(of: label, in: row)
      top1.add(rank < 1 ? 1 : 0)
      top5.add(rank < 5 ? 1 : 0)
    }
  }
}
