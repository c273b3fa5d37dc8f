import Foundation
import SPD
import SPDData
import SPDDetection
import SPDDriver
import SPDFormats
import SPDVision

/// The labelled images of a detection run.
public struct DetectionTrainingData: RunData {
  package let training, validation: any DetectionDataset
  /// Caches of resized images, shared by all epochs.
  package let trainingImages, validationImages: ImageCache
  /// COCO's id of each class of the validation set; nil for a data set in YOLO's format.
  package let categoryIDs: [Int]?
  public let trainingHash, validationHash: UInt64
  public let size: Size2D
  /// Anchors in pixels that fit the data set better than the model's, level by level; nil: those of the model.
  package let anchors: [[SIMD2<Float>]]?
  public let notes: [String]

  public var trainingName: String { training.name }
  public var validationName: String { validation.name }
  public var trainingCount: Int { training.count }
  public var validationCount: Int { validation.count }
  public var classNames: [String] { training.classNames }
  public var preprocessing: ImagePreprocessing {
    ImagePreprocessing(valueRange: .unit, mean: [0, 0, 0], std: [1, 1, 1], fit: .letterbox)
  }

  /// Opens the data set that a configuration names.
  ///
  /// - Parameter model: provides the input size if the configuration does not.
  package init(_ configuration: TrainingConfiguration, model: LoadedModel) async throws {
    guard !configuration.data.isEmpty else {
      throw Failure(.usage, "no data set: give --data DATA.yaml, or --data shapes for generated images")
    }
    let side: Int
    if let own = configuration.imageSize {
      side = own
    } else if let drawn = Self.drawnSide(configuration.data) {
      side = drawn
    } else {
      side = max(try await model.graph().input.shape.height, try await model.graph().input.shape.width)
    }
    size = Size2D(side, side)
    let opened = try Self.open(configuration, side: side)
    training = Self.limited(opened.training.dataset, configuration)
    validation = Self.limited(opened.validation.dataset, configuration)
    guard training.classNames == validation.classNames else {
      throw Failure(
        .data,
        "\(training.name) and \(validation.name) have different classes: "
          + "\(training.classNames.count) and \(validation.classNames.count)")
    }
    try Self.requireObjects(training)
    let (anchors, anchorNote) = try await Self.anchors(configuration, model, training, side: side)
    self.anchors = anchors
    notes = opened.notes + [anchorNote].compactMap(\.self)
    categoryIDs = opened.validation.categoryIDs
    trainingHash = Self.hash(training)
    validationHash = Self.hash(validation)
    let mode: ImageCache.Mode =
      switch configuration.detection.cache {
      case .none: .none
      case .ram: .ram
      case .disk: .disk(folder: try Files.cache("images").path)
      }
    trainingImages = try ImageCache(training, imageSize: side, augments: true, mode: mode)
    validationImages = try ImageCache(validation, imageSize: side, augments: false, mode: mode)
  }

  private typealias Opened = (training: OpenedDataset, validation: OpenedDataset, notes: [String])

  private static func open(_ configuration: TrainingConfiguration, side: Int) throws -> Opened {
    if configuration.data == "shapes" || configuration.data.hasPrefix("shapes:") {
      var options = DetectionShapesOptions()
      options.size = side
      if configuration.limit > 0 {
        options.training = min(options.training, configuration.limit)
        options.validation = min(options.validation, configuration.limit)
      }
      func drawn(_ split: DetectionData.Split) throws -> OpenedDataset {
        OpenedDataset(
          dataset: try ShapesDetectionDataset(split: split, options: options), report: ScanReport(), categoryIDs: nil,
          sources: [])
      }
      return (try drawn(.train), try drawn(.val), [])
    }
    let data = try DetectionData(contentsOf: configuration.data)
    var notes = data.notes
    func opened(_ split: DetectionData.Split) throws -> OpenedDataset {
      let opened = try openSplit(split, of: data, isStrict: configuration.strict)
      notes += opened.summary(split)
      return opened
    }
    return (try opened(.train), try opened(.val), notes)
  }

  /// Refuses images without a single object: nothing could be learned from them, and their labels are probably elsewhere.
  private static func requireObjects(_ dataset: any DetectionDataset) throws {
    guard (0..<dataset.count).allSatisfy({ dataset.labels($0).objects.isEmpty }) else { return }
    let image = dataset.labels(0).path
    // images/train/NAME.jpg beside annotations/instances_train.json
    let root = (0..<3).reduce(image) { path, _ in (path as NSString).deletingLastPathComponent }
    let folder = root.isEmpty ? "annotations" : root + "/annotations"
    let annotations = (try? namesInFolder(folder))?.sorted().first {
      $0.hasPrefix("instances_") && $0.hasSuffix(".json")
    }
    let remedy =
      annotations.map { "name COCO's annotations: --data \(folder)/\($0)" }
      ?? "the labels of \(image) are looked for in \(DetectionData.labelPath(of: image))"
    throw Failure(
      .data,
      printable(
        "\(dataset.name): none of its \(grouped(dataset.count)) images has a label, so nothing can be learned; \(remedy)"
      ))
  }

  /// Checks the model's anchors, and returns better ones if they fit badly, with a note.
  private static func anchors(
    _ configuration: TrainingConfiguration, _ model: LoadedModel, _ dataset: any DetectionDataset, side: Int
  ) async throws -> ([[SIMD2<Float>]]?, String?) {
    let graph = try await model.graph()
    guard configuration.detection.autoanchor, let given = graph.anchors, let strides = graph.boxes?.strides else {
      return (nil, nil)
    }
    let result = Autoanchor(
      anchors: given, strides: strides, dataset: dataset, imageSize: side,
      threshold: configuration.detection.hyperparameters.anchorT,
      seed: configuration.seed)
    func recall(_ fitness: AnchorFitness) -> String { String(format: "%.4f", fitness.bestPossibleRecall) }
    let isPoor = result.given.bestPossibleRecall < Autoanchor.sufficientRecall
    guard result.isReplaced, let found = result.found else {
      return (
        nil,
        "anchors: best possible recall \(recall(result.given)) of \(grouped(result.objects)) objects"
          + (isPoor
            ? ", below \(Autoanchor.sufficientRecall), and a search found none that fit better; "
              + "boxes of a few pixels need a larger --size"
            : "")
      )
    }
    return (
      result.anchors,
      "anchors: best possible recall \(recall(result.given)) is below \(Autoanchor.sufficientRecall); "
        + "new ones for weights drawn from the seed reach \(recall(found))"
    )
  }

  /// Draws a subset of a data set with the seed, in the data set's order.
  static func limited(
    _ dataset: any DetectionDataset, _ configuration: TrainingConfiguration
  ) -> any DetectionDataset {
    guard configuration.limit > 0, configuration.limit < dataset.count else { return dataset }
    var random = SplitMix64(.split, configuration.seed)
    return DetectionSubset(
      dataset, indices: random.permutation(dataset.count).prefix(configuration.limit).map(Int.init).sorted())
  }

  /// Hashes file names and labels but not folders, which may be moved.
  private static func hash(_ dataset: any DetectionDataset) -> UInt64 {
    var hash: UInt64 = 0
    for index in 0..<dataset.count {
      let labels = dataset.labels(index)
      var words = Array((labels.path as NSString).lastPathComponent.utf8)
      for object in labels.objects {
        withUnsafeBytes(of: object.box) { words += $0 }
        withUnsafeBytes(of: object.classIndex.littleEndian) { words += $0 }
      }
      hash = hash &* 0x9E37_79B9_7F4A_7C15 ^ fnv1a(words)
    }
    return hash
  }

  /// Returns the side in `shapes:SIDE`.
  private static func drawnSide(_ name: String) -> Int? {
    let words = name.split(separator: ":")
    return words.first == "shapes" && words.count > 1 ? Int(words[1]) : nil
  }
}

/// Opens a split of a data set with progress, reading and writing the cache of its scan.
package func openSplit(
  _ split: DetectionData.Split, of data: DetectionData, isStrict: Bool, usesCache: Bool = true,
  readsAllHeaders: Bool = false
) throws -> OpenedDataset {
  let progress = ScanProgress("scanning \(split)")
  defer { progress.finish() }
  var options = ScanOptions()
  options.isStrict = isStrict
  options.usesCache = usesCache
  // What is to be strict must look at everything.
  options.readsAllHeaders = readsAllHeaders || isStrict
  options.cacheFolder = try? Files.cache("datasets").path
  options.progress = { progress.update($0, of: $1) }
  return try data.open(split, options: options)
}

extension OpenedDataset {
  /// One sentence about what the scan found, and the first bad files.
  package func summary(_ split: DetectionData.Split) -> [String] {
    let shown = report.issues.prefix(10).map(\.description)
    let more = report.issues.count - shown.count
    return [
      "\(split): \(grouped(report.labelled)) images with labels, \(grouped(report.missing)) without a label file, "
        + "\(grouped(report.empty)) with an empty one, \(grouped(report.corrupt)) corrupt"
    ] + report.notes + shown
      + (more > 0 ? ["\(more) more; `spdc dataset check` lists all"] : [])
  }
}

/// Some of a data set's images.
struct DetectionSubset: DetectionDataset {
  private let dataset: any DetectionDataset
  private let indices: [Int]

  init(_ dataset: any DetectionDataset, indices: [Int]) {
    self.dataset = dataset
    self.indices = indices
  }

  var name: String { dataset.name }
  var classNames: [String] { dataset.classNames }
  var count: Int { indices.count }
  func labels(_ index: Int) -> LabelledImage { dataset.labels(indices[index]) }
  func image(_ index: Int) throws(DataError) -> Image { try dataset.image(indices[index]) }
}
