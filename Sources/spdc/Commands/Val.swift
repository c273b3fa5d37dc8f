import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDFormats
import SPDTraining

struct Val: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a classifier or a detector on the validation images of a data set.",
    discussion: """
      A checkpoint of `spdc train` provides the data set, size and normalisation of its run. For other weights the \
      model's preset applies, and --data is required. Options override both. If a folder is not divided into train and \
      val, the run's own folder is evaluated on its validation split and any other folder on every image; \
      --set val-fraction=0.1 evaluates a split.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Flag(help: "Print the metrics as JSON.") var json = false

  enum Task: String, CaseIterable, ExpressibleByArgument { case val, test, speed }

  @Option(
    help: """
      Detection: val; test for the test split, whose objects nobody knows (use --save-json); or speed, image by image.
      """)
  var task = Task.val
  @Option(name: .customLong("conf"), help: "Detection: minimum confidence.") var confidence: Float = 0.001
  @Option(help: "Detection: IoU threshold of non-maximum suppression within each class.") var iou: Float = 0.6
  @Option(name: .customLong("max-det"), help: "Detection: maximum number of detections per image.") var maximum = 300
  @Option(
    name: .customLong("save-json"),
    help: ArgumentHelp("Detection: write the detections in COCO's results format.", valueName: "file"))
  var saveJSON: String?
  @Flag(help: "Detection: letterbox every image to a square instead of rectangular batches.") var square = false
  @Option(
    help: ArgumentHelp("Detection: folder of the images that COCO annotations name.", valueName: "dir"))
  var images: String?

  func validate() throws {
    try TrainingOptions.check(options)
    guard (0...1).contains(confidence) else { throw ValidationError("--conf must be between 0 and 1.") }
    guard (0...1).contains(iou) else { throw ValidationError("--iou must be between 0 and 1.") }
    guard maximum >= 1 else { throw ValidationError("--max-det must be 1 or more.") }
  }

  struct Report: Encodable {
    struct Class: Encodable {
      var name: String, images: Int
      /// Top-1 accuracy on the images of this class (recall).
      var top1: Double?
      /// Fraction of the images predicted as this class that belong to it.
      var precision: Double?
    }

    var model: String, weights: String, data: String, input: [Int], images: Int
    var top1: Double?, top5: Double?, loss: Double?
    var imagesPerSecond: Double, brokenImages: Int
    var classes: [Class]

    enum CodingKeys: String, CodingKey {
      case model, weights, data, input, images, top1, top5, loss, classes
      case imagesPerSecond = "images_per_second"
      case brokenImages = "broken_images"
    }
  }

  func run() async throws {
    try await reporting {
      guard let weights = options.weights else {
        throw Failure(.usage, "no weights: give --weights FILE, such as runs/resnet18-spd/checkpoints/best.safetensors")
      }
      let model = try await LoadedModel.load(options.model)
      if try await model.graph().boxes != nil { return try await detect(model, weights: weights) }
      let (configuration, data) = try await ValidationData(
        weights: weights, model: model, argument: options.model, config: training.config, preset: training.preset,
        settings: try training.settings(options)
      ).resolve()
      if !json {
        let all = data.validation.count + data.training.count
        Console.note(
          "\(data.validation.name): \(grouped(data.validation.count)) images"
            + (all > data.validation.count ? " of \(grouped(all))" : ""))
      }
      let weighted = try await WeightLoader.load(
        model, size: data.size, batch: model.fixedInput?.batch ?? min(configuration.batch, data.validation.count),
        classes: options.classes,
        weights: weights)
      if let report = weighted.report, !json {
        Console.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
      }
      let task = ClassificationTask()
      try task.check(weighted.graph, for: data)
      let classes = ClassMap(of: data.classNames, in: weighted.weights.classNames ?? data.classNames)
      try classes.check(weights: weights, data: data.validation.name)
      let builder = try Builder(target: options.target)
      let network = try await builder.load(try builder.compile(weighted.graph, options: options.pipeline()))
      let validation = Validation(
        InferenceNetworks([.init(network: network, graph: weighted.graph)]), data: data,
        configuration: configuration, classMap: classes.indices)
      var broken = BrokenImages()
      let start = ContinuousClock.now
      let progress = Progress("validating", total: data.validation.count)
      let evaluation = try task.evaluate(validation, try weighted.weights.file(for: weighted.graph), broken: &broken) {
        done in
        progress.update(done)
        return true
      }
      guard let found = evaluation else { return }
      progress.finish()
      let images = found.confusion.total
      guard images > 0 else {
        throw Failure(.data, "\(data.validation.name): none of its \(data.validation.count) images can be read")
      }
      // Accuracies of such scores would mean nothing.
      guard found.notFinite == 0 else {
        throw Failure(
          .data,
          "\(weighted.graph.name): output is not finite for \(grouped(found.notFinite)) of \(grouped(images)) images: "
            + "the weights hold such numbers, or a sum overflows")
      }
      let report = Report(
        model: weighted.graph.name, weights: weights, data: data.validation.name,
        input: [data.size.height, data.size.width], images: images, top1: found.metrics.top1.value,
        top5: found.metrics.top5.value, loss: found.metrics.loss.value,
        imagesPerSecond: Double(images) / (ContinuousClock.now - start).seconds, brokenImages: broken.count,
        classes: zip(data.classNames, classes.indices).map { name, index in
          Report.Class(
            name: name, images: found.confusion.support(index), top1: found.confusion.recall(index),
            precision: found.confusion.precision(index))
        })
      if json { return try Console.print(json: report) }
      report.print()
    }
  }
}

extension Val.Report {
  fileprivate func print() {
    func percent(_ value: Double?) -> String { value.map { String(format: "%.2f %%", $0 * 100) } ?? "–" }
    Console.print(
      columns(
        [["class", "images", "top-1", "precision"]]
          + classes.map { [printable($0.name), "\($0.images)", percent($0.top1), percent($0.precision)] },
        right: [1, 2, 3]))
    Console.print(
      "\n\(model) on \(data): top-1 \(percent(top1)), top-5 \(percent(top5)), loss "
        + String(format: "%.4f, %d images, %.0f images/s", loss ?? .nan, images, imagesPerSecond))
    if brokenImages > 0 { Console.print("\(brokenImages) broken images were skipped") }
  }
}
