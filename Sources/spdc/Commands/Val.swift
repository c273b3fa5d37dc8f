import ArgumentParser
import Foundation
import SPD
import SPDTraining

struct Val: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a classifier on the validation images of a data set.",
    discussion: """
      Of a checkpoint of `spdc train`, data set, size and normalisation are those of its run; for other weights they are \
      the preset's of the model, and --data is needed. Options come over both. Of a folder that is not divided into \
      train and val, the part that the run kept for validation is measured if it is the run's own, otherwise every \
      image; --set val-fraction=0.1 takes a part.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var training: TrainingOptions
  @Flag(help: "Print the figures as JSON.") var json = false

  func validate() throws { try TrainingOptions.check(options) }

  struct Report: Encodable {
    struct Class: Encodable {
      var name: String, images: Int
      /// Part of its images that was recognised.
      var top1: Double?
      /// Part of the images taken for it that are of it.
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
      let (configuration, data) = try await measured(weights, model)
      if !json {
        let all = data.validation.count + data.training.count
        Console.note(
          "\(data.validation.name): \(grouped(data.validation.count)) images"
            + (all > data.validation.count ? " of \(grouped(all))" : ""))
      }
      let weighted = try await WeightLoader.load(
        model, size: data.size, batch: min(configuration.batch, data.validation.count), classes: options.classes,
        weights: weights)
      if let report = weighted.report, !json {
        Console.note("weights: \(report.file) (\(report.origin)), \(report.summary)")
      }
      try weighted.graph.checkClassifier(of: data)
      if let names = weighted.weights.classNames { try check(names, data.classNames, weights) }
      let ready = try await Builder(target: options.target).ready(weighted, options: options.pipeline)
      let evaluator = Evaluator(
        network: ready.network, graph: weighted.graph, dataset: data.validation, transform: data.transform,
        threads: configuration.computeThreads, loaderThreads: configuration.loaderThreads,
        isStrict: configuration.strict)
      var broken = BrokenImages()
      let start = ContinuousClock.now
      let progress = Progress("validating", total: data.validation.count)
      guard
        let found = try evaluator.run(
          ready.packed, broken: &broken,
          progress: {
            progress.update($0)
            return true
          })
      else { return }
      progress.finish()
      let images = found.confusion.total
      guard images > 0 else {
        throw Failure(.data, "\(data.validation.name): none of its \(data.validation.count) images can be read")
      }
      let report = Report(
        model: weighted.graph.name, weights: weights, data: data.validation.name,
        input: [data.size.height, data.size.width], images: images, top1: found.metrics.top1.value,
        top5: found.metrics.top5.value, loss: found.metrics.loss.value,
        imagesPerSecond: Double(images) / (ContinuousClock.now - start).seconds, brokenImages: broken.count,
        classes: data.classNames.enumerated().map { index, name in
          Report.Class(
            name: name, images: found.confusion.support(index), top1: found.confusion.recall(index),
            precision: found.confusion.precision(index))
        })
      if json { return try Console.print(json: report) }
      report.print()
    }
  }

  /// Whether weights and data set number the classes alike.
  private func check(_ own: [String], _ others: [String], _ weights: String) throws {
    guard let index = zip(own, others).enumerated().first(where: { $1.0 != $1.1 })?.offset else { return }
    let difference = "class \(index) is `\(own[index])` in \(weights), but `\(others[index])` in the data set"
    if own.sorted() == others.sorted() {
      throw Failure(.data, "\(difference): the same classes in another order; give the data set that it was trained on")
    }
    Console.warning("\(difference): the figures take them for the same")
  }

  /// Whether a run's data set is still where it was, and another folder is meant.
  private func isElsewhere(_ own: String, _ named: String) -> Bool {
    func place(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
    return FileManager.default.fileExists(atPath: own) && place(own) != place(named)
  }

  /// The configuration of the run that the weights are from, or the model's preset, with the options over it, and the
  /// images.
  ///
  /// Of the data set that the weights have been trained with, wherever it lies, those images that the run kept for
  /// validation are measured; of another folder without train and val all, unless settings say otherwise.
  private func measured(_ weights: String, _ model: LoadedModel) async throws -> (TrainingConfiguration, TrainingData) {
    let settings = try training.settings(options)
    let checkpoint = try TrainingCheckpoint(ifItIsOne: weights)
    let own = checkpoint?.state.configuration
    var configuration: TrainingConfiguration
    if let own, training.preset == nil, training.config == nil {
      configuration = own
      try configuration.apply(settings)
    } else {
      configuration = try TrainingConfiguration.resolve(
        model: options.model, file: training.config, overrides: settings)
    }
    func isGiven(_ key: String) -> Bool { settings.contains { $0.key == key } }
    if let checkpoint, let own {
      if configuration.data.isEmpty { configuration.data = own.data }
      var kept = configuration
      (kept.seed, kept.limit, kept.validationFraction) = (own.seed, own.limit, own.validationFraction)
      if !isElsewhere(own.data, configuration.data), let data = try? await TrainingData(kept, model: model),
        String(data.trainingHash, radix: 16) == checkpoint.facts[RunFacts.training]
      {
        guard isGiven("limit") || isGiven("seed") || isGiven("val-fraction") else { return (kept, data) }
        if isGiven("limit") { kept.limit = configuration.limit }
        if isGiven("seed") { kept.seed = configuration.seed }
        if isGiven("val-fraction") { kept.validationFraction = configuration.validationFraction }
        return (kept, try await TrainingData(kept, model: model))
      }
    }
    let isSaid = training.config != nil
    if !isSaid, !isGiven("limit") { configuration.limit = 0 }
    let takesAll = !isSaid && !isGiven("val-fraction")
    return (configuration, try await TrainingData(configuration, model: model, takesAll: takesAll))
  }
}

extension Val.Report {
  fileprivate func print() {
    func percent(_ value: Double?) -> String { value.map { String(format: "%.2f %%", $0 * 100) } ?? "–" }
    Console.print(
      columns(
        [["class", "images", "top-1", "precision"]]
          + classes.map { [$0.name, "\($0.images)", percent($0.top1), percent($0.precision)] }, right: [1, 2, 3]))
    Console.print(
      "\n\(model) on \(data): top-1 \(percent(top1)), top-5 \(percent(top5)), loss "
        + String(format: "%.4f, %d images, %.0f images/s", loss ?? .nan, images, imagesPerSecond))
    if brokenImages > 0 { Console.print("\(brokenImages) broken images were left out") }
  }
}
