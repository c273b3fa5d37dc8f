import Foundation

/// Receives the events of a run, on the training thread.
public protocol TrainingObserver: AnyObject {
  /// Called after each step, which may be more often than a display needs: see `ProgressPace`.
  func step(_ progress: TrainingProgress)
  /// Called before each mini-batch of a validation.
  func validating(epoch: Int, of epochs: Int, done: Int, of total: Int)
  func endEpoch(_ summary: EpochSummary)
  /// Called when the run ends, in any way.
  func finish()
}

/// The results of an epoch.
public struct EpochSummary: Sendable {
  /// The epoch, counted from 1.
  public var epoch: Int
  public var epochs: Int
  /// Measured metrics in the task's order.
  public var values: [(metric: TrainingMetric, value: Double)]
  public var imagesPerSecond: Double?
  public var seconds: Double
  /// Whether it has the best validation metric so far.
  public var isBest: Bool
}

extension EpochSummary {
  /// The results on one line: `epoch  3/10  loss 0.5312  | val top-1 93.20 %  | 812 images/s  12.3 s  best`.
  public var line: String {
    let width = String(epochs).count
    let number = String(epoch)
    var parts = ["epoch \(String(repeating: " ", count: width - number.count))\(number)/\(epochs)"]
    parts += values.filter { !$0.metric.isValidation }.map { $0.metric.text($0.value) }
    let validation = values.filter(\.metric.isValidation).map { $0.metric.text($0.value) }
    if !validation.isEmpty { parts += ["| val " + validation[0]] + validation.dropFirst() }
    if let rate = imagesPerSecond { parts.append(String(format: "| %.0f images/s", rate)) }
    parts.append(String(format: "%.1f s", seconds))
    if isBest { parts.append("best") }
    return parts.joined(separator: "  ")
  }
}

/// How a run ended.
public enum TrainingEnding: Sendable {
  case finished
  /// Stopped by a signal, after saving the last checkpoint.
  case stopped
}
