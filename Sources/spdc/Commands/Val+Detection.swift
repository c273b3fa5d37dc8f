import ArgumentParser
import Foundation
import SPD
import SPDDetection
import SPDDriver
import SPDFormats
import SPDTraining

extension Val {
  /// The metrics of a detector: YOLOv5's own and COCO's.
  struct DetectionReport: Encodable {
    struct Class: Encodable {
      var name: String, labels: Int, precision: Double, recall: Double, map50: Double, map5095: Double
      var coco: COCOMetrics

      enum CodingKeys: String, CodingKey {
        case name, labels, precision, recall, map50, coco
        case map5095 = "map50_95"
      }
    }
    /// Milliseconds for one image.
    struct Times: Encodable { var preprocess: Double, inference: Double, nms: Double }

    var model: String, weights: String, data: String, size: Int, images: Int, labels: Int
    var precision: Double?, recall: Double?, map50: Double?, map5095: Double?
    var coco: COCOMetrics?
    var classes: [Class]
    var times: Times
    var brokenImages: Int

    enum CodingKeys: String, CodingKey {
      case model, weights, data, size, images, labels, precision, recall, map50, coco, classes
      case map5095 = "map50_95"
      case times = "ms_per_image"
      case brokenImages = "broken_images"
    }
  }

  func detect(_ model: LoadedModel, weights: String) async throws {
    let checkpoint = try TrainingCheckpoint(ifItIsOne: weights)
    var configuration = checkpoint?.state.configuration
    if configuration?.isDetection != true {
      configuration = try TrainingConfiguration.resolve(model: options.model, isDetector: true)
    }
    guard var configuration else { return }
    configuration.batch = 32
    configuration.limit = 0
    try configuration.apply(try training.settings(options))
    if task == .speed { configuration.batch = 1 }
    let size = configuration.imageSize ?? 640
    guard size % 32 == 0 else {
      throw Failure(.usage, "--size \(size) is not a multiple of the network's stride 32; use \((size + 31) / 32 * 32)")
    }
    let split: DetectionData.Split = task == .test ? .test : .val
    let data = try DetectionValidationData(
      configuration, split: split, side: size, images: images, isQuiet: json, isSquare: square)
    let networks = try await DetectionNetworks(
      options.compile, model: model, argument: options.model, weights: weights, data: data, batch: configuration.batch)
    if !json {
      Console.note("weights: \(networks.weighted.report.map { "\($0.file) (\($0.origin)), \($0.summary)" } ?? weights)")
      data.notes.forEach { Console.note($0) }
    }
    var thresholds = DetectionThresholds()
    thresholds.confidence = confidence
    thresholds.iou = iou
    thresholds.maximum = maximum
    var broken = BrokenImages()
    let progress = Progress("validating", total: data.dataset.count)
    let found = try DetectionEvaluation.run(
      networks.networks, parameters: networks.parameters, data.images, classNames: data.dataset.classNames,
      imageSize: size, isRectangular: !square, thresholds, threads: configuration.computeThreads,
      loaderThreads: configuration.loaderThreads, isStrict: configuration.strict, broken: &broken
    ) { done in
      progress.update(done)
      return true
    }
    progress.finish()
    guard let found, found.images > 0 else {
      throw Failure(.data, "\(data.dataset.name): none of its \(data.dataset.count) images can be read")
    }
    guard found.notFinite == 0 else {
      throw Failure(
        .data,
        "\(networks.weighted.graph.name): output is not finite for \(grouped(found.notFinite)) of "
          + "\(grouped(found.images)) images: the weights hold such numbers, or a sum overflows")
    }
    if let saveJSON {
      var writer = COCOResultsWriter(categoryIDs: data.categoryIDs)
      for (index, detections) in found.detections { writer.add(detections, of: data.dataset.labels(index)) }
      try Files.writing { try writer.write(to: saveJSON) }
      if !json { Console.note("\(saveJSON): \(grouped(writer.count)) detections") }
    }
    let report = try DetectionReport(
      found, data, model: networks.weighted.graph.name, weights: weights, size: size, broken: broken.count,
      isScored: task != .test)
    if json { return try Console.print(json: report) }
    report.print(isScored: task != .test)
  }
}

extension Val.DetectionReport {
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

  fileprivate func print(isScored: Bool) {
    func number(_ value: Double) -> String { value < 0 ? "–" : String(format: "%.3f", value) }
    if isScored, let precision, let recall, let map50, let map5095, let coco {
      let all =
        ["all", "\(labels)"] + coco.values.prefix(6).map(number) + [precision, recall, map50, map5095].map(number)
      Console.print(
        columns(
          [["class", "labels", "AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "P", "R", "mAP50", "mAP50-95"], all]
            + classes.map {
              [printable($0.name), "\($0.labels)"] + $0.coco.values.prefix(6).map(number)
                + [$0.precision, $0.recall, $0.map50, $0.map5095].map(number)
            }, right: Set(1...11)))
      Console.print(
        "\nAP … AP_L are COCO's; P … mAP50-95 are YOLOv5's own. COCO leaves out crowds and objects outside of an area, "
          + "looks at 100 detections an image and class, and takes the precision at 101 recalls; YOLOv5's metric does "
          + "none of this and interpolates: compare like with like.")
    }
    Console.print(
      String(
        format: "%d images, per image: %.1f ms waiting for images, %.1f ms inference, %.1f ms NMS", images,
        times.preprocess, times.inference, times.nms))
    if brokenImages > 0 { Console.print("\(brokenImages) broken images were skipped") }
  }
}
