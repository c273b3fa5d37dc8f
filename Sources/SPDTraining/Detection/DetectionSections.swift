import Foundation
import SPDData
import SPDDetection
import SPDReport
import SPDVision

/// A detector's sections of a report: metrics by class, curves, confusion matrix, predictions beside labels.
struct DetectionSections {
  let evaluation: DetectionEvaluation
  let data: DetectionTrainingData

  init(_ evaluation: DetectionEvaluation, _ data: DetectionTrainingData) {
    self.evaluation = evaluation
    self.data = data
  }

  /// - Throws: `ImageError` for an image that cannot be encoded.
  var sections: [ReportSection] {
    get throws { [classes, curves, try confusion(), statistics, try predictions()].compactMap(\.self) }
  }

  private var classes: ReportSection {
    var section = ReportSection("Metrics by class")
    let result = evaluation.metrics
    func percent(_ value: Double) -> String { String(format: "%.1f %%", value * 100) }
    section.paragraph(
      "YOLOv5's own metric on \(evaluation.images) images. Precision and recall are those at the confidence of the "
        + "best mean F1.")
    section.table(
      header: ["class", "labels", "precision", "recall", "AP50", "AP50-95"],
      rows: [
        ["all", "\(result.classes.reduce(0) { $0 + $1.labels })"]
          + [result.precision, result.recall, result.map50, result.map50To95].map(percent)
      ]
        + result.classes.map { own in
          [data.classNames[own.classIndex], "\(own.labels)"]
            + [own.precision, own.recall, own.ap50, own.ap].map(percent)
        }, marked: [0])
    return section
  }

  /// Precision against recall, and F1, precision and recall against confidence: the mean of the classes.
  private var curves: ReportSection {
    var section = ReportSection("Curves at IoU 0.5")
    let mean = evaluation.metrics.meanCurves
    // Every tenth point is dense enough for a chart.
    func chart(_ title: String, _ xLabel: String, _ values: [Double]) -> String {
      let points = stride(from: 0, to: DetectionCurves.points, by: 9).map { (DetectionCurves.grid[$0], values[$0]) }
      return LineChart(
        title: title, xLabel: xLabel, series: [.init(name: "mean of classes", points: points)], width: 404, height: 260
      ).html
    }
    let charts = [
      chart("Precision", "recall", mean.precisionAtRecall), chart("F1", "confidence", evaluation.metrics.meanF1),
      chart("Precision", "confidence", mean.precision), chart("Recall", "confidence", mean.recall),
    ]
    section.markup("<div class=\"charts\">\(charts.joined(separator: "\n"))</div>")
    return section
  }

  private func confusion() throws -> ReportSection {
    var section = ReportSection("Confusion matrix")
    let own = evaluation.metrics.confusion
    let size = own.classes + 1
    let counts = (0..<size * size).map { own[prediction: $0 % size, truth: $0 / size] }
    section.paragraph(
      "Detections of at least 0.25 and labels that overlap by an IoU above 0.45. Rows are normalised by true class; a "
        + "missed object is predicted as background, and a detection of nothing has the background as its true class.")
    section.markup(
      try HeatMap(
        title: "", matrix: ConfusionMatrix(classes: size, counts: counts), names: data.classNames + ["background"]
      ).html())
    return section
  }

  private var statistics: ReportSection {
    var section = ReportSection("Labels")
    let training = DetectionStatistics(data.training)
    section.facts(
      [
        ("objects", "\(training.objects)"), ("per image", String(format: "%.1f", training.meanObjects)),
        ("images without objects", "\(training.background)"),
      ]
        + DetectionStatistics.Size.allCases.map {
          ($0.rawValue, String(format: "%.0f %%", training.fraction($0) * 100))
        })
    section.table(
      header: ["class", "objects"], rows: zip(data.classNames, training.classCounts).map { [$0, "\($1)"] })
    return section
  }

  /// Labels on the left, detections on the right, of the first images.
  private func predictions() throws -> ReportSection? {
    let shown = evaluation.detections.prefix(12)
    guard !shown.isEmpty else { return nil }
    var section = ReportSection("Predictions beside labels")
    section.paragraph("Each pair has the labels on the left and the detections of at least 0.25 on the right.")
    var figures: [String] = []
    for (index, found) in shown {
      guard let image = try? data.validation.image(index) else { continue }
      let labels = data.validation.labels(index)
      let truth = labels.objects.map { object in
        let size = SIMD4(Float(image.width), Float(image.height), Float(image.width), Float(image.height))
        let (x, y, w, h) = (object.box.x, object.box.y, object.box.z / 2, object.box.w / 2)
        return Detection(classIndex: object.classIndex, score: 1, box: SIMD4(x - w, y - h, x + w, y + h) * size)
      }
      for (detections, areLabels) in [(truth, true), (found.filter { $0.score >= 0.25 }, false)] {
        var drawn = image
        annotate(&drawn, detections: detections, names: data.classNames, showsScores: !areLabels)
        let side = 480
        let largest = max(drawn.width, drawn.height)
        if largest > side {
          drawn = resizeBilinear(
            drawn, width: max(1, drawn.width * side / largest), height: max(1, drawn.height * side / largest))
        }
        let encoded = Data(try drawn.png()).base64EncodedString()
        figures.append("<img alt=\"\" src=\"data:image/png;base64,\(encoded)\">")
      }
    }
    section.markup("<div class=\"charts\">\n\(figures.joined(separator: "\n"))\n</div>")
    return section
  }
}
