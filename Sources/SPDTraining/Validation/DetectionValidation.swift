import Foundation
import SPDDetection
import SPDDriver
import SPDFormats

/// How a detector is validated.
public struct DetectionValidationOptions: Sendable {
  public enum Task: String, CaseIterable, Sendable {
    case val
    /// The test split, whose objects nobody knows: nothing is scored.
    case test
    /// One image at a time, to measure latency.
    case speed
  }

  public var task = Task.val
  public var thresholds = DetectionThresholds()
  /// Letterboxes every image to a square; otherwise batches are rectangular.
  public var isSquare = false
  /// Folder of the images that COCO annotations name; nil: where they are found.
  public var images: String?
  /// File to write the detections to, in COCO's results format.
  public var results: String?

  public init() {}
}

extension DetectionValidation {
  /// Validates a detector on a data set.
  ///
  /// The configuration is that of the weights' run, else the model's preset.
  ///
  /// - Parameters:
  ///   - argument: name of the model, which selects the preset.
  ///   - weights: path of the weights, which may be a run's checkpoint.
  ///   - settings: override the configuration; `data`, `batch` and `image-size` among them.
  ///   - isQuiet: sends no notes.
  /// - Throws: `Failure` or an error that converts to one: weights of another network, a data set without readable images, an
  ///   output that is not finite.
  public static func run(
    _ model: LoadedModel, argument: String, weights: String, settings: [Setting] = [],
    compile: CompileOptions = CompileOptions(), options: DetectionValidationOptions = DetectionValidationOptions(),
    isQuiet: Bool = false
  ) async throws -> DetectionValidation {
    let configuration = try configuration(argument, weights, settings, options.task)
    let size = configuration.imageSize ?? 640
    guard size % 32 == 0 else {
      throw Failure(.usage, "--size \(size) is not a multiple of the network's stride 32; use \((size + 31) / 32 * 32)")
    }
    let data = try DetectionValidationData(
      configuration, split: options.task == .test ? .test : .val, side: size, images: options.images, isQuiet: isQuiet,
      isSquare: options.isSquare)
    if let path = options.results {
      let images = (0..<data.dataset.count).lazy.map { data.dataset.labels($0).path }
      try Files.require(path, of: "--save-json", isNoneOf: data.sources + [weights])
      try Files.require(path, of: "--save-json", isNoneOf: images)
    }
    let networks = try await DetectionNetworks(
      compile, model: model, argument: argument, weights: weights, data: data, batch: configuration.batch)
    if !isQuiet {
      let report = networks.weighted.report
      Messages.note("weights: \(report.map { "\($0.file) (\($0.origin)), \($0.summary)" } ?? weights)")
      data.notes.forEach(Messages.note)
      if let own = networks.weighted.weights.classNames, own != data.dataset.classNames,
        Set(own) == Set(data.dataset.classNames)
      {
        Messages.warning(
          "the classes of \(weights) and of \(data.dataset.name) are the same in another order; they are matched by number, so "
            + "that class 0, \(printable(own[0])), is compared with \(printable(data.dataset.classNames[0]))")
      }
    }
    let (found, broken) = try networks.evaluate(
      data, configuration, title: "validating", size: size, thresholds: options.thresholds, isSquare: options.isSquare,
      isStrict: configuration.strict)
    guard found.images > 0 else {
      throw Failure(.data, "\(data.dataset.name): none of its \(data.dataset.count) images can be read")
    }
    guard found.notFinite == 0 else {
      throw Failure(
        .data,
        "\(networks.weighted.graph.name): output is not finite for \(grouped(found.notFinite)) of "
          + "\(grouped(found.images)) images: the weights hold such numbers, or a sum overflows")
    }
    if let path = options.results {
      var writer = COCOResultsWriter(categoryIDs: data.categoryIDs)
      for (index, detections) in found.detections { writer.add(detections, of: data.dataset.labels(index)) }
      try Files.writing { try writer.write(to: path) }
      if !isQuiet { Messages.note("\(path): \(grouped(writer.count)) detections") }
    }
    return try DetectionValidation(
      found, data, model: networks.weighted.graph.name, weights: weights, size: size, broken: broken,
      isScored: options.task != .test)
  }

  private static func configuration(
    _ argument: String, _ weights: String, _ settings: [Setting], _ task: DetectionValidationOptions.Task
  ) throws -> TrainingConfiguration {
    let own = try TrainingCheckpoint(ifItIsOne: weights)?.state.configuration
    var configuration =
      if let own, own.isDetection { own } else {
        try TrainingConfiguration.resolve(model: argument, isDetector: true)
      }
    (configuration.batch, configuration.limit) = (32, 0)
    try configuration.apply(settings)
    if task == .speed { configuration.batch = 1 }
    return configuration
  }
}
