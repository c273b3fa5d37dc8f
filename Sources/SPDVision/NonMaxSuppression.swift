/// Maximum number of candidates, best scores first; the reference's value.
private let candidateLimit = 30_000

/// Chooses detections from a network's decoded rows.
///
/// 1. A row counts if its objectness exceeds `confidence`; one of its classes, if objectness * class does, too. Without
/// `multiLabel` only the row's best class is considered (the first of equals).
/// 2. The 30 000 best candidates are kept.
/// 3. Best first, a candidate is kept unless it overlaps a kept one of its class (of any class if `agnostic`) with an
/// IoU above `iou`.
///
/// Equal scores keep the order of the rows, and within a row of the classes. Rows with a NaN or an infinity in their box
/// are skipped.
///
/// - Parameters:
///   - rows: `count` × (5 + `classes`), row-major: centre x, centre y, width, height in pixels of the network's input,
///     objectness, class probabilities.
///   - keepClasses: if given, other classes are dropped after a row's best class has been found.
/// - Returns: a maximum of `maxDetections`, by descending score; boxes are corners in pixels of the network's input.
/// - Precondition: `rows` holds at least `count * (5 + classes)` numbers.
public func nonMaxSuppression(
  rows: UnsafeBufferPointer<Float>, count: Int, classes: Int, confidence: Float = 0.25, iou: Float = 0.45,
  maxDetections: Int = 1000, multiLabel: Bool = false, agnostic: Bool = false, keepClasses: Set<Int>? = nil
) -> [Detection] {
  let rowLength = 5 + classes
  precondition(count >= 0 && classes >= 0 && rows.count >= count * rowLength, "fewer rows than count * (5 + classes)")
  var candidates: [Detection] = []
  for start in stride(from: 0, to: count * rowLength, by: rowLength) {
    let objectness = rows[start + 4]
    guard objectness > confidence, let box = corners(rows, start) else { continue }
    var best: Detection?
    for classIndex in 0..<classes {
      let score = objectness * rows[start + 5 + classIndex]
      guard score > confidence else { continue }
      let candidate = Detection(classIndex: classIndex, score: score, box: box)
      if multiLabel {
        if keepClasses?.contains(classIndex) ?? true { candidates.append(candidate) }
      } else if best.map({ score > $0.score }) ?? true {
        best = candidate
      }
    }
    if let best, keepClasses?.contains(best.classIndex) ?? true { candidates.append(best) }
  }
  return suppress(byScore(candidates), iou: iou, maxDetections: maxDetections, agnostic: agnostic)
}

/// Calls the function above for an array.
public func nonMaxSuppression(
  rows: [Float], count: Int, classes: Int, confidence: Float = 0.25, iou: Float = 0.45, maxDetections: Int = 1000,
  multiLabel: Bool = false, agnostic: Bool = false, keepClasses: Set<Int>? = nil
) -> [Detection] {
  rows.withUnsafeBufferPointer {
    nonMaxSuppression(
      rows: $0, count: count, classes: classes, confidence: confidence, iou: iou, maxDetections: maxDetections,
      multiLabel: multiLabel, agnostic: agnostic, keepClasses: keepClasses)
  }
}

private func corners(_ rows: UnsafeBufferPointer<Float>, _ start: Int) -> SIMD4<Float>? {
  let centreX = rows[start]
  let centreY = rows[start + 1]
  let halfWidth = rows[start + 2] / 2
  let halfHeight = rows[start + 3] / 2
  let box = SIMD4(centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight)
  return box.x.isFinite && box.y.isFinite && box.z.isFinite && box.w.isFinite ? box : nil
}

/// Sorts by descending score, equals by index: the library does not promise a stable sort.
private func byScore(_ candidates: [Detection]) -> [Detection] {
  let order = candidates.indices.sorted { left, right in
    let (leftScore, rightScore) = (candidates[left].score, candidates[right].score)
    return leftScore == rightScore ? left < right : leftScore > rightScore
  }
  return order.prefix(candidateLimit).map { candidates[$0] }
}

private func suppress(_ candidates: [Detection], iou: Float, maxDetections: Int, agnostic: Bool) -> [Detection] {
  // One list of kept boxes per class. The reference offsets the boxes of each class by 4096 pixels instead, which costs
  // high class indices five bits of their coordinates.
  var keptBoxes: [Int: [SIMD4<Float>]] = [:]
  var kept: [Detection] = []
  for candidate in candidates where kept.count < maxDetections {
    let group = agnostic ? 0 : candidate.classIndex
    if keptBoxes[group, default: []].contains(where: { overlap($0, candidate.box) > iou }) { continue }
    keptBoxes[group, default: []].append(candidate.box)
    kept.append(candidate)
  }
  return kept
}

/// Intersection over union. Two boxes without area give NaN, which exceeds no threshold.
private func overlap(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> Float {
  let intersection = max(0, min(a.z, b.z) - max(a.x, b.x)) * max(0, min(a.w, b.w) - max(a.y, b.y))
  let union = (a.z - a.x) * (a.w - a.y) + (b.z - b.x) * (b.w - b.y) - intersection
  return intersection / union
}
