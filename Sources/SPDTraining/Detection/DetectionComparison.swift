import Foundation
import SPDDetection
import SPDReport
import SPDVision

/// Two detectors on the same images: which objects each finds and the other misses.
package struct DetectionComparison: Sendable {
  /// An image on which the detectors differ.
  package struct Difference: Sendable {
    /// Index in the data set.
    package var index: Int
    /// Indices of the labels that only the first or only the second detector finds.
    package var onlyFirst, onlySecond: [Int]
  }

  /// Images on which the detectors differ, those with the most differences first.
  package let differences: [Difference]
  /// Numbers of labels that both, only the first, only the second, and neither find.
  package let both, onlyFirst, onlySecond, neither: Int

  /// Minimum score of a detection and minimum IoU with the label of its class.
  package static let confidence: Float = 0.25
  package static let overlap: Float = 0.5

  package init(_ first: DetectionEvaluation, _ second: DetectionEvaluation, _ dataset: any DetectionDataset) {
    let others = Dictionary(uniqueKeysWithValues: second.detections.map { ($0.index, $0.found) })
    var differences: [Difference] = []
    var counts = [0, 0, 0, 0]
    for (index, found) in first.detections {
      guard let other = others[index] else { continue }
      let labels = dataset.labels(index)
      let (mine, theirs) = (Self.found(labels, found), Self.found(labels, other))
      for label in labels.objects.indices where !labels.objects[label].isCrowd {
        counts[(mine.contains(label) ? 0 : 2) + (theirs.contains(label) ? 0 : 1)] += 1
      }
      let difference = Difference(
        index: index, onlyFirst: mine.subtracting(theirs).sorted(), onlySecond: theirs.subtracting(mine).sorted())
      if mine != theirs { differences.append(difference) }
    }
    self.differences = differences.sorted {
      let (one, other) = ($0.onlyFirst.count + $0.onlySecond.count, $1.onlyFirst.count + $1.onlySecond.count)
      return (other, $0.index) < (one, $1.index)
    }
    (both, onlyFirst, onlySecond, neither) = (counts[0], counts[1], counts[2], counts[3])
  }

  /// The labels that detections find: best scores first, each takes the free label of its class with the highest IoU.
  static func found(_ labels: LabelledImage, _ detections: [Detection]) -> Set<Int> {
    var found: Set<Int> = []
    for detection in detections.filter({ $0.score >= confidence }).sorted(by: { $0.score > $1.score }) {
      let candidates = labels.objects.indices.filter {
        labels.objects[$0].classIndex == detection.classIndex && !labels.objects[$0].isCrowd && !found.contains($0)
      }.map { (index: $0, iou: iou(labels.corners($0), detection.box)) }
      if let best = candidates.max(by: { $0.iou < $1.iou }), best.iou >= overlap { found.insert(best.index) }
    }
    return found
  }

  private static func iou(_ a: SIMD4<Float>, _ b: SIMD4<Float>) -> Float {
    let common = max(0, min(a.z, b.z) - max(a.x, b.x)) * max(0, min(a.w, b.w) - max(a.y, b.y))
    let union = (a.z - a.x) * (a.w - a.y) + (b.z - b.x) * (b.w - b.y) - common
    return union > 0 ? common / union : 0
  }
}

extension LabelledImage {
  /// The corners of an object's box in pixels: left, top, right, bottom.
  package func corners(_ index: Int) -> SIMD4<Float> {
    let box = objects[index].box
    let sides = SIMD4(Float(width), Float(height), Float(width), Float(height))
    return SIMD4(box.x - box.z / 2, box.y - box.w / 2, box.x + box.z / 2, box.y + box.w / 2) * sides
  }
}

extension DetectionComparison {
  /// Draws what one detector finds and the other misses, the objects of `indices`, into an image.
  package static func drawn(
    _ image: Image, _ labels: LabelledImage, _ indices: [Int], names: [String]
  ) -> Image {
    var drawn = image
    annotate(
      &drawn,
      detections: indices.map {
        Detection(classIndex: labels.objects[$0].classIndex, score: 1, box: labels.corners($0))
      }, names: names, showsScores: false)
    return drawn
  }

  /// The page of a comparison.
  ///
  /// - Parameters:
  ///   - metrics: name and the value of each detector, in the order of the table.
  ///   - figures: for each shown image a caption and the files of its two images, relative to the page.
  package static func page(
    title: String, names: (String, String), counts: DetectionComparison,
    metrics: [(name: String, first: String, second: String)],
    figures: [(caption: String, first: String, second: String)]
  ) -> String {
    var page = Page(title: title)
    page.facts([
      ("found by both", "\(counts.both)"), ("only by \(names.0)", "\(counts.onlyFirst)"),
      ("only by \(names.1)", "\(counts.onlySecond)"), ("by neither", "\(counts.neither)"),
    ])
    page.table(header: ["", names.0, names.1], rows: metrics.map { [$0.name, $0.first, $0.second] })
    page.heading("What one finds and the other misses")
    page.paragraph("Left, the objects that only \(names.0) finds; right, those that only \(names.1) finds.")
    for figure in figures {
      page.paragraph(figure.caption)
      page.markup(
        "<div class=\"charts\"><img alt=\"\" src=\"\(escaped(figure.first))\">"
          + "<img alt=\"\" src=\"\(escaped(figure.second))\"></div>")
    }
    return page.html
  }
}
