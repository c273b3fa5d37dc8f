import ArgumentParser
import SPDDriver
import SPDTraining

struct Compare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two detectors on the same images.",
    discussion: """
      Prints COCO's metrics of both, small objects first, and writes a page of the images on which one finds what the \
      other misses: detections of at least 0.25 that overlap a label of their class by an IoU of at least 0.5.
      """)

  @Argument(help: "First and second detector: model files, graphs or names of shipped models.") var models: [String]
  @Option(help: "Weight files of the first and of the second detector; give the option twice.") var weights: [String] =
    []
  @Option(help: "Data set: a data.yaml, its folder, a .json of COCO annotations, or shapes:SIDE.") var data: String
  @Option(help: "Input size, as in spdc val.") var size = 640
  @Option(help: "Batch size.") var batch = 16
  @Option(help: "Maximum number of images; 0: all.") var limit = 0
  @Option(help: "Number of images on the page.") var images = 20
  @OptionGroup var threads: ThreadOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Output folder of the page and its images.", valueName: "dir"))
  var output: String?
  @Flag(help: "Print the comparison as JSON.") var json = false

  func validate() throws {
    guard models.count == 2, weights.count == 2 else {
      throw ValidationError("give two models, and --weights once for each.")
    }
    guard size > 0, size % 32 == 0 else { throw ValidationError("--size must be a multiple of 32.") }
    guard batch > 0, limit >= 0, images >= 0 else {
      throw ValidationError("--batch, --limit and --images count images.")
    }
  }

  func run() async throws {
    try await reporting {
      var configuration = try TrainingConfiguration.resolve(model: models[0], isDetector: true)
      (configuration.data, configuration.batch, configuration.limit) = (data, batch, limit)
      configuration.threads = try threads.threads
      let data = try DetectionValidationData(configuration, split: .val, side: size, isQuiet: json)
      if output == nil { Console.note("no page is written; give -o DIR") }
      let comparison = try await DetectorComparison(
        ((models[0], weights[0]), (models[1], weights[1])), on: data, configuration, size: size)
      if let output {
        let (shown, differing) = try comparison.writePage(to: output, limit: images)
        Console.note("\(output)/index.html: \(shown) of \(differing) images that differ")
      }
      if json { try Console.print(json: comparison) } else { Console.print(comparison.text) }
    }
  }
}
