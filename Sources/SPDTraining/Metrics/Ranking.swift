/// Where classes stand among an image's scores. Of equal scores the lower class is first. What is not a number stands
/// behind everything else.
public enum Ranking {
  /// The number of classes before `label`: 0 where the prediction is right, less than k where it is among the first k.
  ///
  /// - Precondition: `label` is an index of `scores`.
  public static func rank(of label: Int, in scores: some RandomAccessCollection<Float>) -> Int {
    let own = scores[scores.index(scores.startIndex, offsetBy: label)]
    // A score that is no number makes no right prediction, whatever the others are.
    if own.isNaN { return scores.count }
    var rank = 0
    for (index, score) in scores.enumerated() where score > own || (score == own && index < label) { rank += 1 }
    return rank
  }

  /// The class with the highest score; 0 where none is a number.
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

  /// Counts one batch.
  ///
  /// - Parameters:
  ///   - loss: the mean over the batch.
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
