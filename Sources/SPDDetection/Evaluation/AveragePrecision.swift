/// Precision and recall of one class by descending confidence, as YOLOv5 measures them.
struct PrecisionRecall {
  /// recall[i] = TP(i) / (n + 1e-16): true positives among the i + 1 best detections, over the class's labels.
  var recall: [Double]
  /// precision[i] = TP(i) / (i + 1).
  var precision: [Double]

  /// - Parameters:
  ///   - isTrue: for each detection by descending confidence, whether it is a true positive.
  ///   - labels: number of labels of the class.
  init(isTrue: some Sequence<Bool>, labels: Int) {
    recall = []
    precision = []
    var hits = 0.0
    for (index, isTrue) in isTrue.enumerated() {
      if isTrue { hits += 1 }
      recall.append(hits / (Double(labels) + 1e-16))
      precision.append(hits / Double(index + 1))
    }
  }

  /// Recall and the envelope of precision, the highest at this recall or a higher one, from (0, 1) to (1, 0).
  var envelope: (recall: [Double], precision: [Double]) {
    let recall = [0] + recall + [1]
    var precision = [1] + precision + [0]
    for index in precision.indices.dropLast().reversed() {
      precision[index] = max(precision[index], precision[index + 1])
    }
    return (recall, precision)
  }

  /// AP: the envelope, interpolated linearly at the recalls 0, 0.01, … 1, integrated by the trapezoidal rule.
  var averagePrecision: Double {
    let points = linspace(0, 1, 101)
    let (recall, precision) = envelope
    let values = points.map { interpolate($0, recall, precision) }
    return zip(points.indices.dropFirst(), points.indices).reduce(0) { sum, pair in
      sum + (points[pair.0] - points[pair.1]) * (values[pair.0] + values[pair.1]) / 2
    }
  }
}

/// Linear interpolation of y at x; beyond the ends, the end's value or `left`. Where xs repeats a value, its last y
/// counts.
///
/// - Parameter xs: ascending, not empty.
func interpolate(_ x: Double, _ xs: [Double], _ ys: [Double], left: Double? = nil) -> Double {
  // The first element beyond x.
  var low = 0
  var high = xs.count
  while low < high {
    let middle = (low + high) / 2
    if xs[middle] <= x { low = middle + 1 } else { high = middle }
  }
  if low == 0 { return left ?? ys[0] }
  if low == xs.count { return ys[low - 1] }
  let slope = (ys[low] - ys[low - 1]) / (xs[low] - xs[low - 1])
  return slope * (x - xs[low - 1]) + ys[low - 1]
}
