/// Receives what happens in a run while it happens. Calls come from the thread that trains.
public protocol TrainingObserver: AnyObject {
  /// After each step. Called more often than anybody can read: see `ProgressPace`.
  func step(_ progress: TrainingProgress)
  /// Before each batch of a validation.
  func validating(epoch: Int, of epochs: Int, done: Int, of total: Int)
  func endEpoch(_ summary: EpochSummary)
  /// The run has ended, however.
  func finish()
}

/// What an epoch gave.
public struct EpochSummary: Sendable {
  /// Counted from 1.
  public var epoch: Int
  public var epochs: Int
  /// In the order of the task's metrics; those that were not measured are missing.
  public var values: [(metric: TrainingMetric, value: Double)]
  public var imagesPerSecond: Double?
  public var seconds: Double
  /// Whether it is the best so far.
  public var isBest: Bool
}

/// How a run came to its end.
public enum TrainingEnding: Sendable {
  case finished
  /// By a signal; the last checkpoint is of that moment.
  case stopped
}
