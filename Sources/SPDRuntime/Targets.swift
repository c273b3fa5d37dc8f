import CSPDModule

/// The targets of a training step.
public enum Targets: Sendable {
  /// A class for each image, negative to leave the image out: softmax cross-entropy, or a loss of the model's own over a vector.
  case labels([Int32], smoothing: Double = 0)
  /// YOLOv5's loss: rows of image, class, centre x, centre y, width and height, the last four as fractions of the image.
  case boxes([[Float]], rates: DetectionRates = DetectionRates())
  /// A loss of the model's own: the target of each number of the result, N×C×H×W.
  case numbers([Float])

  /// Calls `body` with a batch as generated code reads it.
  func withBatch<Result>(
    _ images: UnsafeBufferPointer<Float>, of network: TrainableNetwork, _ body: (spdc_batch) throws -> Result
  ) throws -> Result {
    var batch = spdc_batch()
    batch.images = images.baseAddress
    switch self {
    case .labels(let labels, let smoothing):
      guard labels.count == network.inputShape[0] else {
        throw RuntimeError.labelCount(network: network.name, expected: network.inputShape[0], got: labels.count)
      }
      batch.label_smoothing = smoothing
      return try labels.withUnsafeBufferPointer {
        batch.labels = $0.baseAddress
        return try body(batch)
      }
    case .boxes(let boxes, let rates):
      if let wrong = boxes.first(where: { $0.count != 6 }) {
        throw RuntimeError.targetRow(network: network.name, got: wrong.count)
      }
      batch.target_count = Int32(clamping: boxes.count)
      return try boxes.flatMap { $0 }.withUnsafeBufferPointer { rows in
        try withUnsafePointer(to: rates.c) {
          batch.targets = rows.baseAddress
          batch.rates = $0
          return try body(batch)
        }
      }
    case .numbers(let numbers):
      batch.target_count = Int32(clamping: numbers.count)
      return try numbers.withUnsafeBufferPointer {
        batch.targets = $0.baseAddress
        return try body(batch)
      }
    }
  }
}

/// Gains and options of the YOLOv5 loss for one step; whatever scales with image size, classes or levels is in the gains.
public struct DetectionRates: Sendable, Equatable {
  public var box = 0.05
  public var objectness = 1.0
  public var classes = 0.5
  /// A target matches an anchor unless a side differs by this factor or more.
  public var anchorLimit = 4.0
  /// γ of the focal loss (1 − p)^γ; 0: plain cross-entropy.
  public var focalGamma = 0.0
  public var labelSmoothing = 0.0
  /// Factors of the positive part of the cross-entropies.
  public var objectnessWeight = 1.0
  public var classWeight = 1.0
  /// Whether each step updates the balances of the levels.
  public var autobalance = false

  public init() {}

  var c: spd_yolo_rates {
    spd_yolo_rates(
      box: box, objectness: objectness, classes: classes, anchor_limit: anchorLimit, focal_gamma: focalGamma,
      label_smoothing: labelSmoothing, objectness_weight: objectnessWeight, class_weight: classWeight,
      autobalance: autobalance ? 1 : 0)
  }
}
