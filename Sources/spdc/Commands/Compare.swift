import ArgumentParser
import Foundation
import SPD
import SPDDetection
import SPDDriver
import SPDFormats
import SPDTraining
import SPDVision

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

  struct Answer: Encodable {
    struct Detector: Encodable { var model: String, weights: String, coco: COCOMetrics, msPerImage: Double }
    var data: String, images: Int, detectors: [Detector]
    var foundByBoth: Int, onlyFirst: Int, onlySecond: Int, neither: Int

    enum CodingKeys: String, CodingKey {
      case data, images, detectors, neither
      case foundByBoth = "found_by_both"
      case onlyFirst = "only_first"
      case onlySecond = "only_second"
    }
  }

  func run() async throws {
    try await reporting {
      var configuration = try TrainingConfiguration.resolve(model: models[0], isDetector: true)
      (configuration.data, configuration.batch, configuration.limit) = (data, batch, limit)
      configuration.threads = try threads.threads
      let data = try DetectionValidationData(configuration, split: .val, side: size, isQuiet: json)
      if output == nil { Console.note("no page is written; give -o DIR") }
      let (truth, imageIDs, categoryIDs) = try data.annotations()
      let evaluator = COCOEvaluator(truth)
      var found: [DetectionEvaluation] = []
      var detectors: [Answer.Detector] = []
      for (model, weights) in zip(models, weights) {
        let networks = try await DetectionNetworks(
          CompileOptions(), model: try await LoadedModel.load(model), argument: model, weights: weights, data: data,
          batch: batch)
        var broken = BrokenImages()
        let progress = Progress(networks.weighted.graph.name, total: data.dataset.count)
        let evaluation = try DetectionEvaluation.run(
          networks.networks, parameters: networks.parameters, data.images, classNames: data.dataset.classNames,
          imageSize: size, DetectionThresholds(), threads: configuration.computeThreads,
          loaderThreads: configuration.loaderThreads, isStrict: false, broken: &broken
        ) { done in
          progress.update(done)
          return true
        }
        progress.finish()
        guard let evaluation, evaluation.images > 0 else {
          throw Failure(.data, "\(data.dataset.name): none of its images can be read")
        }
        let metrics = try evaluator.evaluate(
          COCOResults(evaluation.detections, imageIDs: imageIDs, categoryIDs: categoryIDs)
        ).metrics
        detectors.append(
          Answer.Detector(
            model: networks.weighted.graph.name, weights: weights, coco: metrics,
            msPerImage: evaluation.seconds.inference / Double(evaluation.images) * 1000))
        found.append(evaluation)
      }
      let comparison = DetectionComparison(found[0], found[1], data.dataset)
      let answer = Answer(
        data: data.dataset.name, images: found[0].images, detectors: detectors, foundByBoth: comparison.both,
        onlyFirst: comparison.onlyFirst, onlySecond: comparison.onlySecond, neither: comparison.neither)
      if let output { try write(comparison, answer, data.dataset, to: output) }
      if json { try Console.print(json: answer) } else { answer.print() }
    }
  }

  private func write(
    _ comparison: DetectionComparison, _ answer: Answer, _ dataset: any DetectionDataset, to folder: String
  ) throws {
    try Files.createFolder(URL(fileURLWithPath: folder))
    var figures: [(caption: String, first: String, second: String)] = []
    for difference in comparison.differences.prefix(images) {
      guard let image = try? dataset.image(difference.index) else { continue }
      let labels = dataset.labels(difference.index)
      let files = zip(["first", "second"], [difference.onlyFirst, difference.onlySecond]).map { side, indices in
        (
          name: "\(difference.index)-\(side).png",
          image: DetectionComparison.drawn(image, labels, indices, names: dataset.classNames)
        )
      }
      for file in files {
        do { try Files.writing { try file.image.write(to: "\(folder)/\(file.name)") } } catch { throw Failure(error) }
      }
      figures.append((labels.path, files[0].name, files[1].name))
    }
    let page = DetectionComparison.page(
      title: "\(answer.detectors[0].model) and \(answer.detectors[1].model) on \(answer.data)",
      names: answer.labels, counts: comparison, metrics: answer.rows.map { ($0[0], $0[1], $0[2]) }, figures: figures)
    try Files.writing { try writeAtomically(to: "\(folder)/index.html") { try $0.write(Array(page.utf8)) } }
    Console.note("\(folder)/index.html: \(figures.count) of \(comparison.differences.count) images that differ")
  }
}

extension Compare.Answer {
  /// Names of the detectors, which may be the same model with other weights.
  fileprivate var labels: (String, String) {
    let names = detectors.map(\.model)
    return names[0] == names[1] ? ("first \(names[0])", "second \(names[1])") : (names[0], names[1])
  }

  /// COCO's metrics, those of small objects first.
  fileprivate var rows: [[String]] {
    let order = ["AP_S", "AP_M", "AP_L", "AP", "AP50", "AP75", "AR_S", "AR100"]
    let values = detectors.map { Dictionary(uniqueKeysWithValues: zip(COCOMetrics.names, $0.coco.values)) }
    func number(_ value: Double?) -> String { value.map { $0 < 0 ? "–" : String(format: "%.3f", $0) } ?? "–" }
    return order.map { name in [name] + values.map { number($0[name]) } }
      + [["ms per image"] + detectors.map { String(format: "%.1f", $0.msPerImage) }]
  }

  fileprivate func print() {
    Console.print(columns([["", labels.0, labels.1]] + rows, right: [1, 2]))
    Console.print(
      "\n\(images) images: \(foundByBoth) objects found by both, \(onlyFirst) only by \(labels.0), "
        + "\(onlySecond) only by \(labels.1), \(neither) by neither")
  }
}
