import Foundation
import SPDDetection
import SPDDriver
import SPDVision

/// Two detectors on the same images: COCO's metrics of both, and the objects that each finds and the other misses.
public struct DetectorComparison: Encodable, Sendable {
  /// The metrics of one of them.
  public struct Entry: Encodable, Sendable {
    public var model: String, weights: String
    public var coco: COCOMetrics
    /// Time of the network alone, in milliseconds.
    public var msPerImage: Double

    enum CodingKeys: String, CodingKey {
      case model, weights, coco
      case msPerImage = "ms_per_image"
    }
  }

  public var data: String, images: Int
  /// The first and the second.
  public var detectors: [Entry]
  /// Numbers of objects. One is found by a detection of at least 0.25 that overlaps it by an IoU of at least 0.5.
  public var foundByBoth: Int, onlyFirst: Int, onlySecond: Int, neither: Int
  private let counts: DetectionComparison
  private let dataset: any DetectionDataset

  enum CodingKeys: String, CodingKey {
    case data, images, detectors, neither
    case foundByBoth = "found_by_both"
    case onlyFirst = "only_first"
    case onlySecond = "only_second"
  }

  /// Runs the detectors, with progress.
  ///
  /// - Parameters:
  ///   - models: the first and the second: model files, graphs or names of shipped models, with paths of their weights.
  ///   - configuration: its `batch` and thread counts apply.
  ///   - size: the longer side of the input in pixels, as `data` has it.
  /// - Throws: `Failure` or an error that converts to one: weights of another network, a data set without readable images.
  public init(
    _ models: (first: (name: String, weights: String), second: (name: String, weights: String)),
    on data: DetectionValidationData, _ configuration: TrainingConfiguration, size: Int
  ) async throws {
    let (truth, imageIDs, categoryIDs) = try data.annotations()
    let evaluator = COCOEvaluator(truth)
    var found: [DetectionEvaluation] = []
    detectors = []
    for (name, weights) in [models.first, models.second] {
      let networks = try await DetectionNetworks(
        CompileOptions(), model: try await LoadedModel.load(name), argument: name, weights: weights, data: data,
        batch: configuration.batch)
      let model = networks.weighted.graph.name
      let evaluation = try networks.evaluate(data, configuration, title: model, size: size).found
      guard evaluation.images > 0 else {
        throw Failure(.data, "\(data.dataset.name): none of its images can be read")
      }
      let coco = try evaluator.evaluate(
        COCOResults(evaluation.detections, imageIDs: imageIDs, categoryIDs: categoryIDs)
      ).metrics
      detectors.append(
        Entry(
          model: model, weights: weights, coco: coco,
          msPerImage: evaluation.seconds.inference / Double(evaluation.images) * 1000))
      found.append(evaluation)
    }
    dataset = data.dataset
    counts = DetectionComparison(found[0], found[1], dataset)
    (self.data, images) = (dataset.name, found[0].images)
    (foundByBoth, onlyFirst) = (counts.both, counts.onlyFirst)
    (onlySecond, neither) = (counts.onlySecond, counts.neither)
  }
}

extension DetectorComparison {
  /// Names of the detectors, which may be the same model with other weights.
  private var labels: (String, String) {
    let names = detectors.map(\.model)
    return names[0] == names[1] ? ("first \(names[0])", "second \(names[1])") : (names[0], names[1])
  }

  /// COCO's metrics, those of small objects first.
  private var rows: [[String]] {
    let order = ["AP_S", "AP_M", "AP_L", "AP", "AP50", "AP75", "AR_S", "AR100"]
    let values = detectors.map { Dictionary(uniqueKeysWithValues: zip(COCOMetrics.names, $0.coco.values)) }
    func number(_ value: Double?) -> String { value.map { $0 < 0 ? "–" : String(format: "%.3f", $0) } ?? "–" }
    return order.map { name in [name] + values.map { number($0[name]) } }
      + [["ms per image"] + detectors.map { String(format: "%.1f", $0.msPerImage) }]
  }

  /// The metrics as a table, and the numbers of objects.
  public var text: String {
    columns([["", labels.0, labels.1]] + rows, right: [1, 2])
      + "\n\n\(images) images: \(foundByBoth) objects found by both, \(onlyFirst) only by \(labels.0), "
      + "\(onlySecond) only by \(labels.1), \(neither) by neither"
  }

  /// Writes `index.html`, a page of the images on which the detectors differ most, with these images.
  ///
  /// - Parameters:
  ///   - folder: created if missing.
  ///   - limit: maximum number of images.
  /// - Returns: the numbers of images on the page, and of images on which the detectors differ.
  /// - Throws: `Failure` with `.cannotWrite`.
  @discardableResult
  public func writePage(to folder: String, limit: Int = 20) throws -> (shown: Int, differing: Int) {
    try Files.createFolder(URL(fileURLWithPath: folder))
    var figures: [(caption: String, first: String, second: String)] = []
    for difference in counts.differences.prefix(limit) {
      guard let image = try? dataset.image(difference.index) else { continue }
      let labels = dataset.labels(difference.index)
      let files = try zip(["first", "second"], [difference.onlyFirst, difference.onlySecond]).map { side, indices in
        let drawn = DetectionComparison.drawn(image, labels, indices, names: dataset.classNames)
        let name = "\(difference.index)-\(side).png"
        try Files.writing { try drawn.write(to: "\(folder)/\(name)") }
        return name
      }
      figures.append((labels.path, files[0], files[1]))
    }
    let page = DetectionComparison.page(
      title: "\(detectors[0].model) and \(detectors[1].model) on \(data)", names: labels, counts: counts,
      metrics: rows.map { ($0[0], $0[1], $0[2]) }, figures: figures)
    try Files.write(page, to: "\(folder)/index.html")
    return (figures.count, counts.differences.count)
  }
}
