/// One category's precision and recall, each a row of `COCOProtocol.thresholdCount` numbers.
struct CategoryMetrics {
  /// By area range: precision averaged over the recall points; nil without objects.
  var precision: [[Double]?] = []
  /// By detection limit, for objects of any area: the highest recall; nil without objects.
  var recallByLimit: [[Double]?] = []
  /// By area range: the highest recall; nil without objects.
  var recallByArea: [[Double]?] = []

  init(_ matching: CategoryMatching) {
    let outcomes = matching.outcomes
    let keys = outcomes.map(\.key)
    let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    let sorted = order.map { outcomes[$0] }
    for area in COCOProtocol.areas.indices {
      let objects = matching.objects[area]
      precision.append(
        objects == 0
          ? nil
          : (0..<COCOProtocol.thresholdCount).map {
            averagePrecision(sorted, area: area, threshold: $0, objects: objects)
          })
      recallByArea.append(recall(outcomes, area: area, limit: COCOProtocol.detectionLimits[2], objects: objects))
    }
    recallByLimit = COCOProtocol.detectionLimits.map {
      recall(outcomes, area: 0, limit: $0, objects: matching.objects[0])
    }
  }
}

/// Recall of all detections whose rank within their image is below `limit`, by threshold.
private func recall(_ outcomes: [COCOOutcome], area: Int, limit: Int, objects: Int) -> [Double]? {
  guard objects > 0 else { return nil }
  var hits = [Int](repeating: 0, count: COCOProtocol.thresholdCount)
  for outcome in outcomes where outcome.rank < limit && outcome.truePositive[area] != 0 {
    for threshold in hits.indices { hits[threshold] += Int(outcome.truePositive[area] >> threshold & 1) }
  }
  return hits.map { Double($0) / Double(objects) }
}

/// Precision averaged over the recall points: at each, the highest precision at that recall or a higher one, or 0.
///
/// Precision falls or stays between two true positives, so it is computed at those alone.
///
/// - Parameter outcomes: by descending score.
private func averagePrecision(_ outcomes: [COCOOutcome], area: Int, threshold: Int, objects: Int) -> Double {
  let bit: UInt16 = 1 << threshold
  var precision: [Double] = []
  var falsePositives = 0
  for outcome in outcomes {
    if outcome.truePositive[area] & bit != 0 {
      let hits = Double(precision.count + 1)
      precision.append(hits / (Double(falsePositives) + hits + .ulpOfOne))
    } else if outcome.falsePositive[area] & bit != 0 {
      falsePositives += 1
    }
  }
  for index in precision.indices.dropLast().reversed() {
    precision[index] = max(precision[index], precision[index + 1])
  }
  var sum = 0.0
  var hits = 1
  for point in COCOProtocol.recallPoints {
    while hits <= precision.count, Double(hits) / Double(objects) < point { hits += 1 }
    guard hits <= precision.count else { break }
    sum += precision[hits - 1]
  }
  return sum / Double(COCOProtocol.recallPoints.count)
}

extension COCOMetrics {
  /// Averages over categories and thresholds.
  init(_ categories: [CategoryMetrics]) {
    func mean(_ rows: (CategoryMetrics) -> [Double]?) -> Double {
      let values = categories.compactMap(rows).joined()
      return values.isEmpty ? -1 : values.reduce(0, +) / Double(values.count)
    }
    ap = mean { $0.precision[0] }
    ap50 = mean { $0.precision[0].map { [$0[0]] } }
    ap75 = mean { $0.precision[0].map { [$0[5]] } }
    apSmall = mean { $0.precision[1] }
    apMedium = mean { $0.precision[2] }
    apLarge = mean { $0.precision[3] }
    ar1 = mean { $0.recallByLimit[0] }
    ar10 = mean { $0.recallByLimit[1] }
    ar100 = mean { $0.recallByLimit[2] }
    arSmall = mean { $0.recallByArea[1] }
    arMedium = mean { $0.recallByArea[2] }
    arLarge = mean { $0.recallByArea[3] }
  }
}
