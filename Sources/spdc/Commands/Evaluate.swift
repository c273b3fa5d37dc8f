import ArgumentParser
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

  func run() async throws {
    try await reporting {
      let report = try COCOEvaluationReport(
        detections: detections, annotations: annotations, skipsUnknownImages: skipUnknown, threads: threads)
      report.warnings.forEach(Console.warning)
      if json { try Console.print(json: report) } else { Console.print(report.text) }
    }
  }
}
