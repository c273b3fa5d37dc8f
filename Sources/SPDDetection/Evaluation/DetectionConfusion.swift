import SPDVision

/// A confusion matrix of detections, with a class for the background.
///
/// Detections with a score > 0.25 and labels are paired whatever their classes: of the pairs with IoU > 0.45, by
/// descending IoU, every detection keeps its best label, then every label the best of its detections. Counted are
///
///     counts[prediction of a pair][class of its label]    a pair
///     counts[background][class]                           a label without a pair: missed
///     counts[prediction][background]                      a detection without a pair: found where there is nothing
public struct DetectionConfusion: Sendable, Equatable {
  public let classes: Int
  /// Counts as `counts[prediction * (classes + 1) + truth]`; the index `classes` is the background.
  public private(set) var counts: [Int]

  static let confidence: Float = 0.25
  static let overlap: Float = 0.45

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: (classes + 1) * (classes + 1))
  }

  /// Number of times that an object of class `truth` was predicted as `prediction`; `classes` is the background.
  public subscript(prediction prediction: Int, truth truth: Int) -> Int { counts[prediction * (classes + 1) + truth] }

  mutating func add(_ detections: [Detection], _ labels: [DetectionLabel]) {
    let confident = detections.filter { $0.score > Self.confidence }
    var isPaired = [Bool](repeating: false, count: confident.count)
    var hasChosen = isPaired
    var isFound = [Bool](repeating: false, count: labels.count)
    for pair in overlappingPairs(labels, confident, sameClass: false, isEnough: { $0 > Self.overlap })
    where !hasChosen[pair.detection] {
      hasChosen[pair.detection] = true
      if isFound[pair.label] { continue }
      isFound[pair.label] = true
      isPaired[pair.detection] = true
      count(confident[pair.detection].classIndex, labels[pair.label].classIndex)
    }
    for (label, isFound) in zip(labels, isFound) where !isFound { count(classes, label.classIndex) }
    for (detection, isPaired) in zip(confident, isPaired) where !isPaired { count(detection.classIndex, classes) }
  }

  private mutating func count(_ prediction: Int, _ truth: Int) { counts[prediction * (classes + 1) + truth] += 1 }
}
