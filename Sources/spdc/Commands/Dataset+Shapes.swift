import ArgumentParser
import SPDDetection
import SPDDriver
import SPDTraining
import SPDFormats

struct DatasetShapes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shapes", abstract: "Write the generated small-object data set.",
    discussion: """
      Each image shows 1 to 12 shapes, two thirds of them of 8 to 30 pixels, on a textured, noisy background among \
      distractors. The same seed gives the same images.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("Output folder.", valueName: "dir")) var output: String
  @Option(help: "Number of images for training.") var train = 1000
  @Option(help: "Number of images for validation.") var val = 200
  @Option(help: "Side of the images in pixels, 64 to 2048.") var size = 320
  @Option(help: "Number of classes, 3 to 6.") var classes = 6
  @Option(help: "Random seed.") var seed: UInt64 = 0
  @Option(help: "Image format: jpg (quality 95) or png.") var format = ShapesImageFormat.jpg
  @Flag(help: "Write outlines instead of boxes.") var outlines = false
  @Flag(help: "Replace a data set in the output folder.") var force = false

  func run() async throws {
    try await reporting {
      var options = DetectionShapesOptions()
      (options.training, options.validation, options.size) = (train, val, size)
      (options.classes, options.seed) = (classes, seed)
      let progress = ScanProgress("drawing")
      try await Interruption.temporary(FolderWriter.temporaryPath(for: output)) {
        defer { progress.finish() }
        try options.write(to: output, format: format, outlines: outlines, replaces: force) {
          progress.update($0, of: $1)
        }
      }
      Console.print(
        printable("\(output)/data.yaml  \(grouped(train)) images for training, \(grouped(val)) for validation"))
    }
  }
}

extension ShapesImageFormat: ExpressibleByArgument {}
