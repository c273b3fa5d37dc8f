import Foundation
import SPDDriver
import SPDFormats

/// The metrics of a classifier on a data set, with the classes one by one.
public struct ClassificationValidation: Encodable, Sendable {
  public struct Class: Encodable, Sendable {
    public var name: String, images: Int
    /// Top-1 accuracy on the images of this class (recall); nil without images.
    public var top1: Double?
    /// Fraction of the images predicted as this class that belong to it; nil if there are none.
    public var precision: Double?
  }

  public var model: String, weights: String, data: String
  /// Height and width of the input in pixels.
  public var input: [Int]
  public var images: Int
  /// Fractions from 0 to 1, and the mean loss of an image.
  public var top1: Double?, top5: Double?, loss: Double?
  public var imagesPerSecond: Double, brokenImages: Int
  public var classes: [Class]

  enum CodingKeys: String, CodingKey {
    case model, weights, data, input, images, top1, top5, loss, classes
    case imagesPerSecond = "images_per_second"
    case brokenImages = "broken_images"
  }

  /// The metrics as a table; safe to print.
  public var text: String {
    func percent(_ value: Double?) -> String { value.map { String(format: "%.2f %%", $0 * 100) } ?? "–" }
    let table = columns(
      [["class", "images", "top-1", "precision"]]
        + classes.map { [printable($0.name), "\($0.images)", percent($0.top1), percent($0.precision)] },
      right: [1, 2, 3])
    return table + "\n\n\(model) on \(data): top-1 \(percent(top1)), top-5 \(percent(top5)), loss "
      + String(format: "%.4f, %d images, %.0f images/s", loss ?? .nan, images, imagesPerSecond)
      + (brokenImages > 0 ? "\n\(brokenImages) broken images were skipped" : "")
  }
}

extension ClassificationValidation {
  /// Validates a classifier on a data set.
  ///
  /// - Parameters:
  ///   - argument: name of the model, which selects the preset.
  ///   - weights: path of the weights. A run's checkpoint provides the data set, the size and the normalisation.
  ///   - config: path of a YAML file of settings.
  ///   - settings: override all others; `data` and `batch` among them.
  ///   - isQuiet: sends no notes.
  /// - Throws: `Failure` or an error that converts to one: weights of another network or without a class of the data set, a
  ///   data set without readable images, an output that is not finite.
  public static func run(
    _ model: LoadedModel, argument: String, weights: String, config: String? = nil, preset: String? = nil,
    settings: [Setting] = [], compile: CompileOptions = CompileOptions(), isQuiet: Bool = false
  ) async throws -> ClassificationValidation {
    let (configuration, data) = try await ValidationData(
      weights: weights, model: model, argument: argument, config: config, preset: preset, settings: settings
    ).resolve()
    if !isQuiet {
      let all = data.validation.count + data.training.count
      Messages.note(
        "\(data.validation.name): \(grouped(data.validation.count)) images"
          + (all > data.validation.count ? " of \(grouped(all))" : ""))
    }
    let weighted = try await WeightLoader.load(
      model, size: data.size, batch: model.fixedInput?.batch ?? min(configuration.batch, data.validation.count),
      classes: compile.classes, weights: weights)
    if let report = weighted.report, !isQuiet {
      Messages.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
    }
    let task = ClassificationTask()
    try task.check(weighted.graph, for: data)
    let classes = ClassMap(of: data.classNames, in: weighted.weights.classNames ?? data.classNames)
    try classes.check(weights: weights, data: data.validation.name)
    let builder = try Builder(target: compile.target)
    let network = try await builder.load(try builder.compile(weighted.graph, options: compile.pipeline()))
    let validation = Validation(
      InferenceNetworks([.init(network: network, graph: weighted.graph)]), data: data, configuration: configuration,
      classMap: classes.indices)
    var broken = BrokenImages()
    let start = ContinuousClock.now
    let progress = Progress("validating", total: data.validation.count)
    let evaluation = try task.evaluate(
      validation, try weighted.weights.file(for: weighted.graph), broken: &broken
    ) { done in
      progress.update(done)
      return true
    }
    progress.finish()
    guard let found = evaluation, found.confusion.total > 0 else {
      throw Failure(.data, "\(data.validation.name): none of its \(data.validation.count) images can be read")
    }
    let images = found.confusion.total
    // Accuracies of such scores would mean nothing.
    guard found.notFinite == 0 else {
      throw Failure(
        .data,
        "\(weighted.graph.name): output is not finite for \(grouped(found.notFinite)) of \(grouped(images)) images: "
          + "the weights hold such numbers, or a sum overflows")
    }
    return ClassificationValidation(
      model: weighted.graph.name, weights: weights, data: data.validation.name,
      input: [data.size.height, data.size.width], images: images, top1: found.metrics.top1.value,
      top5: found.metrics.top5.value, loss: found.metrics.loss.value,
      imagesPerSecond: Double(images) / (ContinuousClock.now - start).seconds, brokenImages: broken.count,
      classes: zip(data.classNames, classes.indices).map { name, index in
        Class(
          name: name, images: found.confusion.support(index), top1: found.confusion.recall(index),
          precision: found.confusion.precision(index))
      })
  }
}
