import SPDDetection

/// A generation of an evolution: a training with its hyperparameters, and the result.
public struct Generation: Equatable, Sendable {
  /// Counted from 1.
  public var number: Int
  public var hyperparameters: DetectionHyperparameters
  /// Validation metrics of the best epoch by name, such as `metrics/mAP_0.5`; empty if the training failed.
  public var values: [String: Double]
  public var seconds: Double
  /// `finished`, or why it failed.
  public var outcome: String

  public static let finished = "finished"

  /// The metric that ranks generations; nil if the training failed.
  public var fitness: Double? { values[DetectionTask.bestMetric] }
}

extension [Generation] {
  /// The generation with the highest fitness, the first of equal ones; nil if all failed.
  public var best: Generation? {
    filter { $0.fitness != nil }.min { ($1.fitness!, $0.number) < ($0.fitness!, $1.number) }
  }

  /// Best first, failed ones last.
  var ranked: [Generation] {
    sorted { ($1.fitness ?? -.infinity, $0.number) < ($0.fitness ?? -.infinity, $1.number) }
  }
}
