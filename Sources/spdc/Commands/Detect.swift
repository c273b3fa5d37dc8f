import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDFormats
import SPDRuntime
import SPDVision

struct Detect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find objects in images.",
    discussion: """
      Images (JPEG, PNG) are letterboxed to --size. With --rect they are padded only to a multiple of the network's \
      stride, and one module is compiled per input shape. Boxes are x1, y1, x2, y2 in pixels of the image.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Argument(help: "Image files and folders of images.") var images: [String]
  @Option(name: .customLong("conf"), help: "Minimum confidence.") var confidence: Float = 0.25
  @Option(help: "IoU threshold of non-maximum suppression within each class.") var iou: Float = 0.45
  @Option(name: .customLong("max-det"), help: "Maximum number of detections per image.") var maximum = 1000
  @Flag(help: "Pad only to a multiple of the network's stride.") var rect = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Output folder for annotated images.", valueName: "dir"))
  var output: String?
  @Flag(help: "Print the detections as JSON.") var json = false

  func validate() throws {
    guard (0...1).contains(confidence) else { throw ValidationError("--conf must be between 0 and 1.") }
    guard (0...1).contains(iou) else { throw ValidationError("--iou must be between 0 and 1.") }
    guard maximum >= 1 else { throw ValidationError("--max-det must be 1 or more.") }
    if options.batch ?? 1 != 1 { throw ValidationError("detect runs one image at a time; remove --batch.") }
  }

  private struct Answer: Encodable {
    struct Object: Encodable {
      var `class`: Int, name: String, score: Float, box: [Float]
    }
    var image: String
    var detections: [Object]?
    /// Why the image has no result.
    var error: String?
  }

  func run() async throws {
    try await reporting {
      let weighted = try await options.load()
      guard case .decodeBoxes(let head) = weighted.graph.nodes.last?.op else {
        throw Failure(
          .usage, "\(weighted.graph.name) is not a detector: its last layer does not decode boxes (try classify)")
      }
      let names = classNames(weighted, count: head.classes)
      let size = weighted.graph.input.shape.size
      let stride = head.strides.max() ?? 32
      let inputs = ImageInputs(images)
      let targets = try annotatedPaths(inputs)
      let runners = Runners(options: options, threads: try threads.threads, weighted: weighted)

      try await inputs.run("detect", json: json) { entry, image in
        let (input, geometry) = letterbox(
          image, height: size.height, width: size.width, auto: rect, stride: stride)
        let session = try await runners.session(Size2D(input.height, input.width))
        let rows = try session.infer(planar([input]))
        try OutputNotFinite.check(rows, session.network.outputShapes, of: session.network.name)
        let found = nonMaxSuppression(
          rows: rows, count: rows.count / (5 + head.classes), classes: head.classes, confidence: confidence, iou: iou,
          maxDetections: maximum)
        let detections = scaleBoxes(found, from: geometry)
        if let target = targets[entry.path] {
          var annotated = image
          annotate(&annotated, detections: detections, names: names)
          try Files.createFolder(URL(fileURLWithPath: target).deletingLastPathComponent())
          do { try Files.writing { try annotated.write(to: target) } } catch { throw Failure(error) }
        }
        return Answer(
          image: entry.text,
          detections: detections.map {
            Answer.Object(
              class: $0.classIndex, name: names[$0.classIndex], score: $0.score,
              box: [$0.box.x, $0.box.y, $0.box.z, $0.box.w])
          })
      } failed: {
        Answer(image: $0.text, error: $1)
      } show: {
        show($0)
      }
    }
  }

  private func show(_ answer: Answer) {
    let objects = answer.detections ?? []
    Console.print("\(printable(answer.image))  \(objects.count) found")
    for object in objects {
      let box = object.box.map { String(format: "%.1f", $0) }.joined(separator: " ")
      Console.print(String(format: "  %@  %.3f  ", printable(object.name), object.score) + box)
    }
  }

  /// Returns the output path of each annotated image, by input path; empty without -o.
  ///
  /// Names and subfolders are those of the inputs, so that two inputs with the same name are an error.
  private func annotatedPaths(_ inputs: ImageInputs) throws -> [String: String] {
    guard let output else { return [:] }
    var origins: [String: String] = [:]
    var targets: [String: String] = [:]
    for entry in inputs.entries where entry.failure == nil {
      let source = URL(fileURLWithPath: entry.path)
      let isPNG = source.pathExtension.lowercased() == "png"
      let name = (entry.name as NSString).deletingPathExtension + (isPNG ? ".png" : ".jpg")
      let target = URL(fileURLWithPath: output).appendingPathComponent(name)
      guard target.standardizedFileURL.resolvingSymlinksInPath() != source.standardizedFileURL.resolvingSymlinksInPath()
      else {
        throw Failure(.usage, "-o \(output) would overwrite \(entry.path); give another folder")
      }
      if let other = origins.updateValue(entry.path, forKey: name), other != entry.path {
        throw Failure(.usage, "\(other) and \(entry.path) would both become \(output)/\(name); run them one by one")
      }
      targets[entry.path] = target.path
    }
    try Files.createFolder(URL(fileURLWithPath: output))
    return targets
  }
}

/// Returns the class names of the weights, else COCO's if the number of classes matches, else `class N`.
func classNames(_ weighted: Weighted, count: Int) -> [String] {
  if let names = weighted.classNames, names.count == count { return names }
  return count == cocoNames.count ? cocoNames : (0..<count).map { "class \($0)" }
}

/// Keeps one session per input size, compiled on first use.
final class Runners {
  private let options: ModelOptions
  private let threads: Int
  private let weighted: Weighted
  private var sessions: [Size2D: Session] = [:]

  init(options: ModelOptions, threads: Int, weighted: Weighted) {
    self.options = options
    self.threads = threads
    self.weighted = weighted
  }

  func session(_ size: Size2D) async throws -> Session {
    if let session = sessions[size] { return session }
    var weighted = weighted
    if size != weighted.graph.input.shape.size {
      // The number of classes comes from the weights and does not depend on the size.
      weighted.graph = try await LoadedModel.load(weighted.report?.model ?? options.model, or: options.model)
        .graph(size: size, batch: 1, classes: weighted.graph.classes)
    }
    let builder = try Builder(target: options.target)
    let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: threads)
    let ready = try await builder.ready(weighted, options: pipeline)
    let session = try ready.network.session(ready.packed, threads: threads)
    sessions[size] = session
    return session
  }
}
