import Foundation
import SPD
import SPDData
import SPDDetection
import SPDDriver
import SPDRuntime
import SPDVision

/// Thresholds of non-maximum suppression during validation; the reference's defaults.
public struct DetectionThresholds: Sendable, Equatable {
  public var confidence: Float = 0.001
  public var iou: Float = 0.6
  public var maximum = 300

  public init() {}
}

/// The evaluation of a detector on a validation set.
public struct DetectionEvaluation: Sendable {
  /// YOLOv5's own metrics.
  public var metrics: DetectionSummary
  /// The detections of each evaluated image, in pixels of the image, by its index in the data set.
  public var detections: [(index: Int, found: [Detection])] = []
  public var images = 0
  /// Mean of the mini-batches' loss terms, times their gains; nil if the loss was not asked for.
  public var loss: (box: Double, objectness: Double, classes: Double)?
  /// Number of images with an output that is not finite.
  public var notFinite = 0
  public var seconds = Seconds()

  /// Where the time went, summed over all images.
  public struct Seconds: Sendable {
    /// Spent waiting for images that other threads read and letterbox.
    public var waiting = 0.0
    public var inference = 0.0
    public var suppression = 0.0
  }
}

extension DetectionEvaluation {
  /// The input sizes of rectangular batches, largest first.
  ///
  /// - Parameter pad: additional sides in units of the stride: 0.5 for validation, 0 for training.
  package static func sizes(_ dataset: any DetectionDataset, batch: Int, imageSize: Int, pad: Double) -> [Size2D] {
    let batches = RectangularBatches(
      sizes: (0..<dataset.count).map { index in
        let labels = dataset.labels(index)
        return (labels.width, labels.height)
      }, batchSize: batch, imageSize: imageSize, stride: 32, pad: pad)
    return Set(batches.shapes.map { Size2D($0.height, $0.width) }).sorted {
      ($0.area, $0.height) > ($1.area, $1.height)
    }
  }

  /// Runs a detector on a validation set; see `TrainingTask.evaluate`.
  ///
  /// - Parameters:
  ///   - networks: compiled for all sizes of the batches.
  ///   - rates: gains of the loss; nil leaves the loss out.
  ///   - isRectangular: false letterboxes every image to a square.
  package static func run(
    _ networks: InferenceNetworks, parameters: ParameterFile, _ images: ImageCache, classNames: [String],
    imageSize: Int, isRectangular: Bool = true, _ thresholds: DetectionThresholds, rates: DetectionRates? = nil,
    threads: Int, loaderThreads: Int, isStrict: Bool, broken: inout BrokenImages, progress: (Int) -> Bool
  ) throws -> DetectionEvaluation? {
    let batchSize = networks.first.network.inputShape[0]
    let loader = try DetectionLoader(
      images,
      options: .validation(
        batchSize: batchSize, imageSize: imageSize, isRectangular: isRectangular, isStrict: isStrict,
        threads: loaderThreads), epochs: 1)
    defer { loader.cancel() }
    let classes = classNames.count
    var metrics = DetectionMetrics(classes: classes)
    var evaluation = DetectionEvaluation(metrics: metrics.summary())
    let loss = try rates.flatMap { try Self.loss(networks.first.graph, parameters, $0) }
    var losses: [DetectionLoss.Terms] = []
    var session: (size: Size2D, session: Session)?
    var rows: [Float] = []
    while progress(evaluation.images) {
      var start = ContinuousClock.now
      guard let batch = try loader.next() else {
        evaluation.metrics = metrics.summary()
        if !losses.isEmpty {
          let count = Double(losses.count)
          evaluation.loss = (
            losses.reduce(0) { $0 + $1.box } / count, losses.reduce(0) { $0 + $1.objectness } / count,
            losses.reduce(0) { $0 + $1.classes } / count
          )
        }
        return evaluation
      }
      evaluation.seconds.waiting += (ContinuousClock.now - start).seconds
      broken.report(batch.broken)
      if batch.count == 0 { continue }
      let size = Size2D(batch.height, batch.width)
      if session?.size != size {
        // Batches are sorted by shape, so one session is enough at a time.
        session = nil
        guard let network = networks[size]?.network else {
          throw Failure(.software, "internal error: no module for \(size.height)×\(size.width)")
        }
        session = (size, try network.session(try network.pack(parameters), threads: threads))
        rows = [Float](repeating: 0, count: network.outputCount)
      }
      start = ContinuousClock.now
      try rows.withUnsafeMutableBufferPointer { try session!.session.infer(batch.images, into: $0) }
      let inferred = ContinuousClock.now
      evaluation.seconds.inference += (inferred - start).seconds
      let length = 5 + classes
      let perImage = rows.count / batchSize / length
      rows.withUnsafeBufferPointer { rows in
        if let loss {
          losses.append(
            loss(
              rows, batch.targets, images: batch.count, batch: batchSize, height: batch.height, width: batch.width))
        }
        for (row, index) in batch.indices.enumerated() {
          let own = UnsafeBufferPointer(rebasing: rows[row * perImage * length..<(row + 1) * perImage * length])
          if !own.allSatisfy(\.isFinite) { evaluation.notFinite += 1 }
          let found = nonMaxSuppression(
            rows: own, count: perImage, classes: classes, confidence: thresholds.confidence,
            iou: thresholds.iou, maxDetections: thresholds.maximum, multiLabel: classes > 1)
          let scaled = found.map { detection in
            var scaled = detection
            scaled.box = batch.fits[row].original(detection.box)
            return scaled
          }
          metrics.add(scaled, of: batch.fits[row].evaluated(images.dataset.labels(index)))
          evaluation.detections.append((index, scaled))
        }
      }
      evaluation.seconds.suppression += (ContinuousClock.now - inferred).seconds
      evaluation.images += batch.count
    }
    return nil
  }

  private static func loss(_ graph: Graph, _ parameters: ParameterFile, _ rates: DetectionRates) throws
    -> DetectionLoss?
  {
    guard let name = graph.boxes?.anchors, let anchors = try parameters.tensors().first(where: { $0.name == name })
    else {
      return nil
    }
    return DetectionLoss(graph, anchors: anchors.values, rates: rates)
  }
}
