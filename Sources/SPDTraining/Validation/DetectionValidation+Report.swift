import Foundation
import SPDDetection
import SPDDriver
import SPDFormats

/// The metrics of a detector on a data set: YOLOv5's own and COCO's, with the classes one by one.
public struct DetectionValidation: Encodable, Sendable {
  /// The metrics of a class that has labels.
  public struct Class: Encodable, Sendable {
    public var name: String, labels: Int
    /// YOLOv5's own metrics, from 0 to 1.
    public var precision: Double, recall: Double, map50: Double, map5095: Double
    public var coco: COCOMetrics

    enum CodingKeys: String, CodingKey {
      case name, labels, precision, recall, map50, coco
      case map5095 = "map50_95"
    }
  }

  /// Milliseconds for one image: waiting for other threads that read it, the network, non-maximum suppression.
  public struct Times: Encodable, Sendable { public var preprocess: Double, inference: Double, nms: Double }

  public var model: String, weights: String, data: String
  /// The longer side of the input in pixels.
  public var size: Int
  public var images: Int, labels: Int
  /// YOLOv5's own metrics, from 0 to 1, as means over the classes; nil for a split that is not scored.
  public var precision: Double?, recall: Double?, map50: Double?, map5095: Double?
  /// Nil for a split that is not scored.
  public var coco: COCOMetrics?
  public var classes: [Class]
  public var times: Times
  public var brokenImages: Int

  enum CodingKeys: String, CodingKey {
    case model, weights, data, size, images, labels, precision, recall, map50, coco, classes
    case map5095 = "map50_95"
    case times = "ms_per_image"
    case brokenImages = "broken_images"
  }

  init(
    _ found: DetectionEvaluation, _ data: DetectionValidationData, model: String, weights: String, size: Int,
    broken: Int, isScored: Bool
  ) throws {
    let dataset = data.dataset
    let result = found.metrics
    (self.model, self.weights, self.data) = (model, weights, dataset.name)
    (self.size, images, brokenImages) = (size, found.images, broken)
    labels = result.classes.reduce(0) { $0 + $1.labels }
    let count = Double(found.images)
    times = Times(
      preprocess: found.seconds.waiting / count * 1000, inference: found.seconds.inference / count * 1000,
      nms: found.seconds.suppression / count * 1000)
    classes = []
    guard isScored else { return }
    (precision, recall, map50, map5095) = (result.precision, result.recall, result.map50, result.map50To95)
    let (truth, imageIDs, categoryIDs) = try data.annotations()
    let evaluation = try COCOEvaluator(truth).evaluate(
      COCOResults(found.detections, imageIDs: imageIDs, categoryIDs: categoryIDs))
    coco = evaluation.metrics
    let byClass = Dictionary(uniqueKeysWithValues: evaluation.categories.map { ($0.category.id, $0.metrics) })
    classes = result.classes.map { own in
      Class(
        name: dataset.classNames[own.classIndex], labels: own.labels, precision: own.precision, recall: own.recall,
        map50: own.ap50, map5095: own.ap, coco: byClass[categoryIDs[own.classIndex]] ?? COCOMetrics())
    }
  }

  /// The metrics as a table, with what to compare them with; safe to print.
  public var text: String {
    func number(_ value: Double) -> String { value < 0 ? "–" : String(format: "%.3f", value) }
    var lines: [String] = []
    if let precision, let recall, let map50, let map5095, let coco {
      let all =
        ["all", "\(labels)"] + coco.values.prefix(6).map(number) + [precision, recall, map50, map5095].map(number)
      lines.append(
        columns(
          [["class", "labels", "AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "P", "R", "mAP50", "mAP50-95"], all]
            + classes.map {
              [printable($0.name), "\($0.labels)"] + $0.coco.values.prefix(6).map(number)
                + [$0.precision, $0.recall, $0.map50, $0.map5095].map(number)
            }, right: Set(1...11)))
      lines.append(
        "\nAP … AP_L are COCO's; P … mAP50-95 are YOLOv5's own. COCO leaves out crowds and objects outside of an area, "
          + "looks at 100 detections an image and class, and takes the precision at 101 recalls; YOLOv5's metric does "
          + "none of this and interpolates: compare like with like.")
    }
    lines.append(
      String(
        format: "%d images, per image: %.1f ms waiting for images, %.1f ms inference, %.1f ms NMS", images,
        times.preprocess, times.inference, times.nms))
    if brokenImages > 0 { lines.append("\(brokenImages) broken images were skipped") }
    return lines.joined(separator: "\n")
  }
}
