import SPDVision

/// The IoU thresholds of YOLOv5's metric: 0.50, 0.55, … 0.95.
let detectionThresholds = linspace(0.5, 0.95, 10).map { Float($0) }

/// A label of an image: class and corners in pixels.
struct DetectionLabel {
  var classIndex: Int
  var box: SIMD4<Float>

  /// The labels of an image. Crowds are left out: YOLO's labels do not have them.
  static func all(in image: LabelledImage) -> [DetectionLabel] {
    let size = SIMD2(Float(image.width), Float(image.height))
    return image.objects.filter { !$0.isCrowd }.map { object in
      let centre = SIMD2(object.box.x, object.box.y) * size
      let half = SIMD2(object.box.z, object.box.w) * size / 2
      return DetectionLabel(
        classIndex: object.classIndex, box: SIMD4(lowHalf: centre - half, highHalf: centre + half))
    }
  }
}

/// A label and a detection that overlap.
struct DetectionPair {
  var label, detection: Int
  /// Intersection over union.
  var overlap: Float
}

/// Pairs of labels and detections with an IoU that passes `isEnough`, by descending IoU; equals by detection, then
/// label.
func overlappingPairs(
  _ labels: [DetectionLabel], _ detections: [Detection], sameClass: Bool, isEnough: (Float) -> Bool
) -> [DetectionPair] {
  var pairs: [DetectionPair] = []
  for (index, detection) in detections.enumerated() {
    for (labelIndex, label) in labels.enumerated() where !sameClass || label.classIndex == detection.classIndex {
      let overlap = intersectionOverUnion(label.box, detection.box)
      if isEnough(overlap) { pairs.append(DetectionPair(label: labelIndex, detection: index, overlap: overlap)) }
    }
  }
  return pairs.sorted { ($1.overlap, $0.detection, $0.label) < ($0.overlap, $1.detection, $1.label) }
}

/// Matches an image's detections with its labels for YOLOv5's metric.
///
/// Of the pairs with equal class and IoU ≥ 0.5, every detection keeps its best label, then every label its most
/// confident detection. The detection is a true positive at threshold t if the IoU of its pair is ≥ t: it is not
/// matched again for every threshold.
///
/// - Parameter detections: by descending score.
/// - Returns: for each detection, a bit per threshold of `detectionThresholds`.
func truePositives(_ detections: [Detection], _ labels: [DetectionLabel]) -> [UInt16] {
  let pairs = overlappingPairs(labels, detections, sameClass: true) { $0 >= detectionThresholds[0] }
  var best: [Int: DetectionPair] = [:]
  for pair in pairs where best[pair.detection] == nil { best[pair.detection] = pair }
  var taken = Set<Int>()
  var bits = [UInt16](repeating: 0, count: detections.count)
  for index in detections.indices {
    guard let pair = best[index], taken.insert(pair.label).inserted else { continue }
    for (threshold, minimum) in detectionThresholds.enumerated() where pair.overlap >= minimum {
      bits[index] |= 1 << threshold
    }
  }
  return bits
}

/// Intersection over union of boxes given by their corners. Two boxes without area give NaN, which passes no threshold.
func intersectionOverUnion(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> Float {
  let size = pointwiseMax(pointwiseMin(a.highHalf, b.highHalf) - pointwiseMax(a.lowHalf, b.lowHalf), .zero)
  let intersection = size.x * size.y
  return intersection / ((a.z - a.x) * (a.w - a.y) + (b.z - b.x) * (b.w - b.y) - intersection)
}
