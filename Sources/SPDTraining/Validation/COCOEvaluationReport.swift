import Foundation
import SPDDetection
import SPDDriver
import SPDFormats

/// COCO's evaluation of a file of detections, with the categories one by one.
public struct COCOEvaluationReport: Sendable {
  public let evaluation: COCOEvaluation
  /// Number of image ids that occur more than once in the annotations.
  public let repeatedImages: Int
  public let readingSeconds: Double, evaluationSeconds: Double

  /// Reads and evaluates detections.
  ///
  /// - Parameters:
  ///   - detections: path of a file in COCO's results format.
  ///   - annotations: path of a file in COCO's instances format.
  ///   - skipsUnknownImages: leaves out detections in images that the annotations do not list; else they are an error.
  ///   - threads: maximum number of threads; nil: all processors.
  /// - Throws: `DataError` naming the file and what is wrong with it.
  public init(
    detections: String, annotations: String, skipsUnknownImages: Bool = false, threads: Int? = nil
  ) throws {
    let start = ContinuousClock.now
    let truth = try COCOAnnotations(path: annotations)
    let found = try COCOResults(path: detections, for: truth)
    let read = ContinuousClock.now
    evaluation = try COCOEvaluator(truth).evaluate(
      found, skipsUnknownImages: skipsUnknownImages, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    repeatedImages = truth.repeatedImageIDs.count
    (readingSeconds, evaluationSeconds) = ((read - start).seconds, (ContinuousClock.now - read).seconds)
  }

  /// What is odd about the files, one sentence each.
  public var warnings: [String] {
    [
      (repeatedImages, "image ids occur more than once in the annotations; each counts as one image"),
      (evaluation.unknownImages, "detections in images that the annotations do not list were left out"),
      (evaluation.unknownCategories, "detections of categories that the annotations do not list were left out"),
      (evaluation.scoresNotANumber, "detections have the score NaN; they rank last"),
    ].filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
  }

  /// The categories as a table, and the twelve numbers as pycocotools prints them; safe to print.
  public var text: String {
    func number(_ value: Double) -> String { value < 0 ? "–" : String(format: "%.3f", value) }
    let table = columns(
      [["class", "images", "objects"] + COCOMetrics.names.prefix(6)]
        + evaluation.categories.map {
          [printable($0.category.name), "\($0.images)", "\($0.objects)"] + $0.metrics.values.prefix(6).map(number)
        },
      right: Set(1...8))
    let numbers = zip(Self.rows, evaluation.metrics.values).map { String(format: " \($0) = %.3f\n", $1) }
    return table + "\n" + numbers.joined()
      + "\n\(grouped(evaluation.images)) images, \(grouped(evaluation.objects)) objects, "
      + "\(grouped(evaluation.detections)) detections"
      + String(format: ", read in %.2f s, evaluated in %.2f s", readingSeconds, evaluationSeconds)
  }

  /// What each of the twelve numbers is, as pycocotools prints it.
  private static let rows = [
    ("Precision", "AP", "0.50:0.95", "all", 100), ("Precision", "AP", "0.50", "all", 100),
    ("Precision", "AP", "0.75", "all", 100), ("Precision", "AP", "0.50:0.95", "small", 100),
    ("Precision", "AP", "0.50:0.95", "medium", 100), ("Precision", "AP", "0.50:0.95", "large", 100),
    ("Recall", "AR", "0.50:0.95", "all", 1), ("Recall", "AR", "0.50:0.95", "all", 10),
    ("Recall", "AR", "0.50:0.95", "all", 100), ("Recall", "AR", "0.50:0.95", "small", 100),
    ("Recall", "AR", "0.50:0.95", "medium", 100), ("Recall", "AR", "0.50:0.95", "large", 100),
  ].map { quantity, short, overlap, area, limit in
    func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
      let space = String(repeating: " ", count: max(0, width - text.count))
      return right ? space + text : text + space
    }
    return padded("Average \(quantity)", 18) + " (\(short)) @[ IoU=\(padded(overlap, 9)) | area="
      + "\(padded(area, 6, right: true)) | maxDets=\(padded("\(limit)", 3, right: true)) ]"
  }
}

extension COCOEvaluationReport: Encodable {
  private enum CodingKeys: String, CodingKey {
    case images, objects, detections, classes
    case unknownImages = "unknown_images"
    case unknownCategories = "unknown_categories"
    case readingSeconds = "reading_seconds"
    case evaluationSeconds = "evaluation_seconds"
  }

  /// The twelve numbers under COCO's names, beside the counts.
  public func encode(to encoder: any Encoder) throws {
    try evaluation.metrics.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(evaluation.images, forKey: .images)
    try container.encode(evaluation.objects, forKey: .objects)
    try container.encode(evaluation.detections, forKey: .detections)
    try container.encode(evaluation.unknownImages, forKey: .unknownImages)
    try container.encode(evaluation.unknownCategories, forKey: .unknownCategories)
    try container.encode(readingSeconds, forKey: .readingSeconds)
    try container.encode(evaluationSeconds, forKey: .evaluationSeconds)
    try container.encode(evaluation.categories.map(Row.init), forKey: .classes)
  }

  /// A category and its metrics, in one object.
  private struct Row: Encodable {
    var category: COCOEvaluation.Category

    enum CodingKeys: String, CodingKey { case id, name, images, objects }

    func encode(to encoder: any Encoder) throws {
      try category.metrics.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(category.category.id, forKey: .id)
      try container.encode(category.category.name, forKey: .name)
      try container.encode(category.images, forKey: .images)
      try container.encode(category.objects, forKey: .objects)
    }
  }
}
