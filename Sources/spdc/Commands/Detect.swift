import ArgumentParser
import Foundation
import SPD
import SPDData
import SPDDriver
import SPDFormats
import SPDTraining
import SPDVision

struct Detect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find objects in images and videos.",
    discussion: """
      Images (JPEG, PNG, BMP) are letterboxed to --size. With --rect they are padded only to a multiple of the network's \
      stride, and one module is compiled per input shape. Boxes are x1, y1, x2, y2 in pixels of the image. Videos need \
      ffmpeg. Each thread runs images of its own, so that reading, inference and writing overlap.
      """)

  @OptionGroup var options: DetectModelOptions
  @OptionGroup var threads: ThreadOptions
  @Argument(
    help: "Image and video files, folders of images, quoted patterns, lists (.txt), or - for paths on standard input.")
  var images: [String]
  @Option(name: .customLong("conf"), help: "Minimum confidence.") var confidence: Float = 0.25
  @Option(help: "IoU threshold of non-maximum suppression within each class.") var iou: Float = 0.45
  @Option(name: .customLong("max-det"), help: "Maximum number of detections per image.") var maximum = 1000
  @Option(help: ArgumentHelp("Classes to find, by index or name. Default: all.", valueName: "0,2,person"))
  var classes: String?
  @Flag(name: .customLong("agnostic-nms"), help: "Let boxes of different classes suppress each other.")
  var agnostic = false
  @Flag(help: "Pad only to a multiple of the network's stride.") var rect = false
  @Flag(help: "Test-time augmentation: merge the results of three scales, one of them mirrored.") var augment = false
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Output folder for annotated images and videos.", valueName: "dir"))
  var output: String?
  @Flag(name: .customLong("no-images"), help: "Write no annotated images.") var noImages = false
  @Flag(
    name: .customLong("save-txt"),
    help: "Write labels/NAME.txt to the output folder: class, centre x, centre y, width and height as fractions.")
  var saveText = false
  @Flag(name: .customLong("save-conf"), help: "Add the confidence to each line of --save-txt.")
  var saveConfidence = false
  @Flag(name: .customLong("save-crop"), help: "Write crops/CLASS/NAME-N.jpg to the output folder.")
  var saveCrops = false
  @Option(help: ArgumentHelp("Write the detections to a CSV file.", valueName: "file")) var csv: String?
  @Flag(help: "Print the detections as JSON.") var json = false

  func validate() throws {
    guard (0...1).contains(confidence) else { throw ValidationError("--conf must be between 0 and 1.") }
    guard (0...1).contains(iou) else { throw ValidationError("--iou must be between 0 and 1.") }
    guard maximum >= 1 else { throw ValidationError("--max-det must be 1 or more.") }
    if rect, options.batch > 1 {
      throw ValidationError("--rect gives each image a shape of its own; remove --rect or --batch.")
    }
    if saveConfidence, !saveText { throw ValidationError("--save-conf needs --save-txt.") }
    if output == nil, saveText || saveCrops || noImages {
      throw ValidationError("--save-txt, --save-crop and --no-images need an output folder: -o DIR.")
    }
    if noImages, !saveText, !saveCrops {
      throw ValidationError("--no-images without --save-txt or --save-crop writes nothing; remove -o.")
    }
  }

  func run() async throws {
    try await reporting {
      let compile = options.compile
      let weighted = try await compile.load(options.model)
      let model = try await LoadedModel.load(weighted.report?.model ?? options.model, or: options.model)
      let inputs = ImageInputs(images)
      let threads = try self.threads.threads
      let networks = try DetectorNetworks(
        weighted, model: model, options: compile, threads: inputs.threadsPerWorker(threads, batch: options.batch))
      let names = networks.classNames
      let chosen = DetectorOptions(
        confidence: confidence, iou: iou, maximum: maximum,
        classes: try classes.map { try Self.classes($0, of: names) }, isAgnostic: agnostic)

      let files = try output.map { folder in
        try DetectorFiles(
          folder: folder, names: names, for: inputs, savesImages: !noImages, savesText: saveText,
          savesConfidence: saveConfidence, savesCrops: saveCrops)
      }
      if let csv {
        try Self.checkFolder(of: csv)
        try Files.require(csv, of: "--csv", isNoneOf: inputs.entries.lazy.map(\.path))
      }

      let input = DetectorInput(isRectangular: rect, isAugmented: augment)
      if !rect {
        for size in networks.sizes(for: networks.input.size, isAugmented: augment) { try await networks.prepare(size) }
      }
      let detector = Detector(networks, input, threads: threads)
      try await report(DetectorRun(detector, inputs, chosen, files: files), total: inputs.entries.count)
    }
  }

  /// Runs the images, and prints and writes what is found.
  private func report(_ run: DetectorRun, total: Int) async throws {
    var report = ImageReport<DetectorAnswer>("detect", total: total, json: json) { Console.print($0.text) }
    var table = DetectorAnswer.csvHeader
    func writeTable() throws { if let csv { try Files.write(table, to: csv) } }
    do {
      try await run.run { event in
        switch event {
        case .found(let answer):
          report.add(answer)
          if csv != nil { table += answer.csv }
        case .failed(let answer, let failure): report.add(failure, answer)
        case .progress(let done): report.update(done)
        }
      }
    } catch {
      try report.stop()
      try writeTable()
      throw error
    }
    try writeTable()
    try report.finish()
  }

  /// Returns the indices of classes that are named by index or by name.
  static func classes(_ list: String, of names: [String]) throws -> Set<Int> {
    let parts = list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    guard !parts.isEmpty else { throw Failure(.usage, "--classes is empty; name classes, such as 0,2,\(names[0])") }
    return Set(
      try parts.map { part in
        if let index = names.firstIndex(of: part) ?? Int(part) {
          guard names.indices.contains(index) else {
            throw Failure(.usage, "--classes: there is no class \(index); the network has 0 to \(names.count - 1)")
          }
          return index
        }
        let near = names.min { editDistance($0, part) < editDistance($1, part) }
        let hint = near.flatMap { editDistance($0, part) <= 3 ? " Did you mean \($0)?" : nil } ?? ""
        throw Failure(
          .usage,
          printable(
            "--classes: the network has no class \(part).\(hint) It has \(names.prefix(8).joined(separator: ", "))"
              + (names.count > 8 ? " and \(names.count - 8) more" : "")))
      })
  }

  /// Finds out before the images are run that a file's folder is missing.
  private static func checkFolder(of path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    guard PathKind(of: folder) == .folder else {
      throw Failure(.cannotWrite, "\(path): cannot be written: there is no folder \(folder)")
    }
  }
}
