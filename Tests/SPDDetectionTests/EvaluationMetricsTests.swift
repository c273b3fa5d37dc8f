import SPDDetection
import SPDVision
import Testing

@Suite struct EvaluationMetricsTests {
  struct Case: Decodable {
    struct Image: Decodable { var labels: [[Float]], detections: [[Float]] }
    struct Class: Decodable { var index: Int, labels: Int, precision: Double, recall: Double, ap50: Double, ap: Double }
    struct Expected: Decodable {
      var confidence: Double, precision: Double, recall: Double, map50: Double, map50_95: Double, classes: [Class]
    }
    var classes: Int, images: [Image], expected: Expected, confusion: [Int]
  }

  private static let side = 512

  /// Labels as class and corners in pixels; the side is a power of two, so their fractions are exact.
  private func image(_ labels: [[Float]]) -> LabelledImage {
    LabelledImage(
      path: "", width: Self.side, height: Self.side,
      objects: labels.map { row in
        let corners = SIMD4(row[1], row[2], row[3], row[4]) / Float(Self.side)
        return LabelledObject(
          classIndex: Int(row[0]),
          box: SIMD4(lowHalf: (corners.lowHalf + corners.highHalf) / 2, highHalf: corners.highHalf - corners.lowHalf))
      })
  }

  private func detections(_ rows: [[Float]]) -> [Detection] {
    rows.map { Detection(classIndex: Int($0[5]), score: $0[4], box: SIMD4($0[0], $0[1], $0[2], $0[3])) }
  }

  /// Recorded by Fixtures/evaluation/yolo_metric.py.
  @Test func theMetricEqualsNumPys() throws {
    let cases: [Case] = try evaluationFixture("yolo-metric.json")
    #expect(cases.count == 4)
    for recorded in cases {
      var metrics = DetectionMetrics(classes: recorded.classes)
      // Any order of an image's detections gives the same.
      for found in recorded.images { metrics.add(detections(found.detections).reversed(), of: image(found.labels)) }
      let summary = metrics.summary()
      let expected = recorded.expected
      let pairs =
        [
          (summary.confidence, expected.confidence), (summary.precision, expected.precision),
          (summary.recall, expected.recall), (summary.map50, expected.map50), (summary.map50To95, expected.map50_95),
        ]
        + zip(summary.classes, expected.classes).flatMap {
          [($0.precision, $1.precision), ($0.recall, $1.recall), ($0.ap50, $1.ap50), ($0.ap, $1.ap)]
        }
      for (value, expected) in pairs { #expect(abs(value - expected) < 1e-9) }
      #expect(summary.classes.map(\.classIndex) == expected.classes.map(\.index))
      #expect(summary.classes.map(\.labels) == expected.classes.map(\.labels))
      #expect(summary.confusion.counts == recorded.confusion)
    }
  }

  /// Seven detections, of which the 1st, 2nd, 4th and 7th are right, and five labels.
  private func golden() -> DetectionMetrics {
    let corners = (0..<7).map { SIMD4<Float>(Float($0) * 64, 0, Float($0) * 64 + 32, 32) }
    let labels = [0, 1, 3, 6].map { [0, corners[$0].x, 0, corners[$0].z, 32] } + [[0, 0, 256, 32, 288]]
    var metrics = DetectionMetrics(classes: 2)
    metrics.add(
      corners.enumerated().map { Detection(classIndex: 0, score: 0.9 - Float($0) / 10, box: $1) }, of: image(labels))
    return metrics
  }

  @Test func theFactsGoldenIsMet() {
    let summary = golden().summary()
    #expect(abs(summary.map50 - 0.7192857) < 5e-8 && abs(summary.map50To95 - 0.7192857) < 5e-8)
    #expect(summary.images == 1 && summary.labels == 5 && summary.classes.count == 1)
  }

  @Test func theCurvesEndAsTheFactsSay() {
    let curves = golden().summary().meanCurves
    #expect(curves.precision.last == 1 && curves.recall.last == 0)
    #expect(abs(curves.precision[0] - 4 / 7) < 1e-12 && abs(curves.recall[0] - 0.8) < 1e-12)
    #expect(curves.precisionAtRecall[0] == 1 && curves.precisionAtRecall.last == 0)
    #expect(DetectionCurves.grid.count == 1000 && DetectionCurves.grid[999] == 1)
  }

  @Test func aDetectionIsNotMatchedAgainForAHigherThreshold() {
    // The confident detection takes the label with an IoU of 0.6; the better one is left without.
    var metrics = DetectionMetrics(classes: 1)
    metrics.add(
      [
        Detection(classIndex: 0, score: 0.9, box: [0, 0, 60, 100]),
        Detection(classIndex: 0, score: 0.8, box: [0, 0, 100, 100]),
      ], of: image([[0, 0, 0, 100, 100]]))
    let summary = metrics.summary()
    #expect(summary.classes[0].ap50 > 0.99 && summary.classes[0].ap < 0.31)
  }

  @Test func aDetectionTakesItsBestLabel() {
    // Two labels shifted by a tenth of their width: the detection equals the second.
    var metrics = DetectionMetrics(classes: 1)
    metrics.add(
      [Detection(classIndex: 0, score: 0.9, box: [10, 0, 110, 100])],
      of: image([[0, 0, 0, 100, 100], [0, 10, 0, 110, 100], [0, 20, 0, 120, 100]]))
    let found = metrics.summary().classes[0]
    #expect(found.ap50 > 0.3 && abs(found.ap - found.ap50) < 1e-12)
  }

  @Test func crowdsAreLeftOut() {
    var crowd = image([[0, 0, 0, 100, 100]])
    crowd.objects[0].isCrowd = true
    var metrics = DetectionMetrics(classes: 1)
    metrics.add([], of: crowd)
    #expect(metrics.summary().labels == 0)
  }

  @Test func nothingGivesZeros() {
    let summary = DetectionMetrics(classes: 3).summary()
    #expect(summary.map50 == 0 && summary.precision == 0 && summary.classes.isEmpty)
    #expect(summary.meanCurves == DetectionCurves() && summary.meanF1.allSatisfy { $0 == 0 })
  }

  @Test func hostileNumbersAreLeftOut() {
    var metrics = DetectionMetrics(classes: 2)
    metrics.add(
      [
        Detection(classIndex: -1, score: 0.5, box: .zero), Detection(classIndex: .max, score: 0.5, box: .zero),
        Detection(classIndex: 0, score: .nan, box: [0, 0, 100, 100]),
        Detection(classIndex: 0, score: 0.5, box: SIMD4(repeating: .nan)),
        Detection(classIndex: 0, score: .infinity, box: [-.infinity, 0, .infinity, 1]),
      ], of: image([[0, 0, 0, 100, 100], [7, 0, 0, 1, 1], [-2, 0, 0, 1, 1]]))
    let summary = metrics.summary()
    #expect(summary.labels == 1 && summary.map50 == 0 && summary.confusion[prediction: 2, truth: 0] == 1)
  }
}
