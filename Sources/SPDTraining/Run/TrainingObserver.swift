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

/// How a run ended.
public enum TrainingEnding: Sendable {
  case finished
  /// Stopped by a signal, after saving the last checkpoint.
  case stopped
}
