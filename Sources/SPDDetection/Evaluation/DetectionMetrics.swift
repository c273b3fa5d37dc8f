import SPDVision

/// YOLOv5's own metric of detections, collected image by image.
///
///     var metrics = DetectionMetrics(classes: 80)
///     for … { metrics.add(detections, of: image) }
///     let summary = metrics.summary()
///
/// It differs from COCO's: a detection is matched once for all thresholds, areas do not matter, precision is
/// interpolated linearly, and there is no limit of detections but the suppression's.
public struct DetectionMetrics: Sendable {
  public let classes: Int
  public private(set) var confusion: DetectionConfusion
  /// Number of images.
  public private(set) var images = 0
  /// Number of labels of each class, crowds left out.
  private var labels: [Int]
  /// Number of images with a label of each class.
  private var imagesOfClass: [Int]
  /// Scores and true-positive bits of each class's detections, in the order of the images.
  private var scores: [[Float]]
  private var hits: [[UInt16]]

  public init(classes: Int) {
    self.classes = classes
    confusion = DetectionConfusion(classes: classes)
    labels = [Int](repeating: 0, count: classes)
    imagesOfClass = labels
    scores = [[Float]](repeating: [], count: classes)
    hits = [[UInt16]](repeating: [], count: classes)
  }

  /// Adds an image.
  ///
  /// Labels and detections of classes that do not exist are left out, as are detections without a number for a score.
  ///
  /// - Parameter detections: in any order; boxes are corners in pixels of the image as stored.
  public mutating func add(_ detections: [Detection], of image: LabelledImage) {
    let known = detections.filter { (0..<classes).contains($0.classIndex) && !$0.score.isNaN }
    let sorted = known.indices.sorted { (known[$1].score, $0) < (known[$0].score, $1) }.map { known[$0] }
    let truth = DetectionLabel.all(in: image).filter { (0..<classes).contains($0.classIndex) }
    images += 1
    for label in truth { labels[label.classIndex] += 1 }
    for index in Set(truth.map(\.classIndex)) { imagesOfClass[index] += 1 }
    for (detection, bits) in zip(sorted, truePositives(sorted, truth)) {
      scores[detection.classIndex].append(detection.score)
      hits[detection.classIndex].append(bits)
    }
    confusion.add(sorted, truth)
  }

  /// Computes the metrics of all images so far.
  public func summary() -> DetectionSummary {
    let present = (0..<classes).filter { labels[$0] > 0 }
    let curves = present.map { classCurves($0) }
    let grid = linspace(0, 1, DetectionCurves.points)
    let f1 = curves.map(\.f1)
    let means = grid.indices.map { point in mean(f1.map { $0[point] }) }
    // The first of equal maxima.
    let best = means.indices.max { (means[$0], $1) < (means[$1], $0) } ?? 0
    let averages = present.map { averagePrecisions($0) }
    return DetectionSummary(
      classes: zip(present, zip(curves, averages)).map { index, found in
        DetectionSummary.Class(
          classIndex: index, images: imagesOfClass[index], labels: labels[index], precision: found.0.precision[best],
          recall: found.0.recall[best], f1: found.0.f1[best], ap50: found.1[0], ap: mean(found.1), curves: found.0)
      },
      images: images, labels: labels.reduce(0, +), confidence: grid[best], confusion: confusion)
  }

  /// Detections of a class by descending score; equal scores in the order of the images.
  private func order(_ index: Int) -> [Int] {
    let scores = scores[index]
    return scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
  }

  private func precisionRecall(_ index: Int, _ order: [Int], threshold: Int) -> PrecisionRecall {
    PrecisionRecall(isTrue: order.lazy.map { hits[index][$0] >> threshold & 1 == 1 }, labels: labels[index])
  }

  /// AP at each threshold; 0 without detections.
  private func averagePrecisions(_ index: Int) -> [Double] {
    let order = order(index)
    return detectionThresholds.indices.map { threshold in
      order.isEmpty ? 0 : precisionRecall(index, order, threshold: threshold).averagePrecision
    }
  }

  /// The curves of a class at IoU 0.5.
  private func classCurves(_ index: Int) -> DetectionCurves {
    let order = order(index)
    guard !order.isEmpty else { return DetectionCurves() }
    let found = precisionRecall(index, order, threshold: 0)
    // Ascending, as the interpolation wants it.
    let negated = order.map { -Double(scores[index][$0]) }
    var curves = DetectionCurves()
    let (recall, precision) = found.envelope
    for (point, value) in linspace(0, 1, DetectionCurves.points).enumerated() {
      curves.recall[point] = interpolate(-value, negated, found.recall, left: 0)
      curves.precision[point] = interpolate(-value, negated, found.precision, left: 1)
      curves.precisionAtRecall[point] = interpolate(value, recall, precision)
    }
    return curves
  }
}

func mean(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count) }
