import ArgumentParser
import Foundation
import SPDDetection
import SPDDriver
import SPDFormats
import SPDTraining

struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate detections with COCO's protocol.",
    discussion: """
      Reads detections in COCO's results format and annotations such as instances_val2017.json, and computes the \
      twelve numbers of pycocotools. A missing area is the box's, a missing iscrowd is 0. An image_id that is text \
      names the image with this id, or the one whose file name has this stem. -1 means that there is no such object.
      """)

  @Option(help: "Detections: JSON list of {image_id, category_id, bbox, score}.") var detections: String
  @Option(help: "Annotations: JSON of COCO's instances format.") var annotations: String
  @Flag(help: "Leave out detections in images that the annotations do not list; otherwise they are an error.")
  var skipUnknown = false
  @Option(help: "Maximum number of threads (default: all processors).") var threads: Int?
  @Flag(help: "Print the metrics as JSON.") var json = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
  }

  struct Report: Encodable {
    struct Class: Encodable {
      var id: Int, name: String, images: Int, objects: Int, metrics: COCOMetrics

      enum CodingKeys: String, CodingKey { case id, name, images, objects }

      func encode(to encoder: any Encoder) throws {
        try metrics.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(name, forKey: .name)
        try container.encode(images, forKey: .images)
        try container.encode(objects, forKey: .objects)
      }
    }

    var evaluation: COCOEvaluation, readingSeconds: Double, evaluationSeconds: Double

    var classes: [Class] {
      evaluation.categories.map {
        Class(
          id: $0.category.id, name: $0.category.name, images: $0.images, objects: $0.objects, metrics: $0.metrics)
      }
    }

    enum CodingKeys: String, CodingKey {
      case images, objects, detections, classes
      case unknownImages = "unknown_images"
      case unknownCategories = "unknown_categories"
      case readingSeconds = "reading_seconds"
      case evaluationSeconds = "evaluation_seconds"
    }

    func encode(to encoder: any Encoder) throws {
      try evaluation.metrics.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(evaluation.images, forKey: .images)
      try container.encode(evaluation.objects, forKey: .objects)
      try container.encode(evaluation.detections, forKey: .detections)
      try container.encode(evaluation.unknownImages, forKey: .unknownImages)
      try container.encode(evaluation.unknownCategories, forKey: .unknownCategories)
      try container.encode(readingSeconds, forKey: .readingSeconds)
      try container.encode(evaluationSeconds, forKey: .evaluationSeconds)
      try container.encode(classes, forKey: .classes)
    }
  }

  func run() async throws {
    try await reporting {
      let start = ContinuousClock.now
      let truth = try COCOAnnotations(path: annotations)
      let found = try COCOResults(path: detections, for: truth)
      let read = ContinuousClock.now
      let evaluation = try COCOEvaluator(truth).evaluate(
        found, skipsUnknownImages: skipUnknown, threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
      let report = Report(
        evaluation: evaluation, readingSeconds: (read - start).seconds,
        evaluationSeconds: (ContinuousClock.now - read).seconds)
      report.warn(repeatedImages: truth.repeatedImageIDs.count)
      if json { return try Console.print(json: report) }
      report.print()
    }
  }
}

extension Evaluate.Report {
  fileprivate func warn(repeatedImages: Int) {
    func warning(_ count: Int, _ text: String) { if count > 0 { Console.warning("\(grouped(count)) \(text)") } }
    warning(repeatedImages, "image ids occur more than once in the annotations; each counts as one image")
    warning(evaluation.unknownImages, "detections in images that the annotations do not list were left out")
    warning(evaluation.unknownCategories, "detections of categories that the annotations do not list were left out")
    warning(evaluation.scoresNotANumber, "detections have the score NaN; they rank last")
  }

  fileprivate func print() {
    func number(_ value: Double) -> String { value < 0 ? "–" : String(format: "%.3f", value) }
    Console.print(
      columns(
        [["class", "images", "objects"] + COCOMetrics.names.prefix(6)]
          + classes.map {
            [printable($0.name), "\($0.images)", "\($0.objects)"] + $0.metrics.values.prefix(6).map(number)
          },
        right: Set(1...8)))
    for (row, value) in zip(Self.rows, evaluation.metrics.values) {
      Console.print(String(format: " \(row) = %.3f", value))
    }
    Console.print(
      "\n\(grouped(evaluation.images)) images, \(grouped(evaluation.objects)) objects, "
        + "\(grouped(evaluation.detections)) detections"
        + String(format: ", read in %.2f s, evaluated in %.2f s", readingSeconds, evaluationSeconds))
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
