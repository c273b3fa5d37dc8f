/// The state of a run except its tensors: with both, a run resumes as if it had never stopped.
///
/// The schedule has no other state than `epoch` and `iteration`.
public struct TrainingState: Codable, Equatable, Sendable {
  /// Number of completed epochs.
  public var epoch = 0
  /// Number of completed iterations of the current epoch; 0 between epochs.
  public var iteration = 0
  /// Number of mini-batches whose gradients are accumulated for the next update.
  public var summed = 0
  /// Number of optimiser steps so far: Adam's t, and the number of EMA updates.
  public var updates = 0

  /// The epoch with the best validation metric so far.
  public var best: Best?
  /// Numbers of the latest validation that the choice of images depends on; nil if it does not, or before the first one.
  public var feedback: [Double]?
  /// States of random generators by purpose. Samplers that are functions of seed, epoch and position need none.
  public var generators: [String: [UInt64]] = [:]
  /// Running averages of the current epoch.
  public var running: [String: RunningAverage] = [:]
  public var history: TrainingHistory
  public var configuration: TrainingConfiguration

  public struct Best: Codable, Equatable, Sendable {
    /// Counted from 1.
    public var epoch: Int
    public var metric: Double

    public init(epoch: Int, metric: Double) {
      self.epoch = epoch
      self.metric = metric
    }
  }

  public init(configuration: TrainingConfiguration, history: TrainingHistory) {
    self.configuration = configuration
    self.history = history
  }

  /// Records an epoch's validation metric.
  ///
  /// - Returns: whether it is larger than all before; false for NaN.
  @discardableResult
  public mutating func noteValidation(_ metric: Double, epoch: Int) -> Bool {
    guard !metric.isNaN, best.map({ metric > $0.metric }) ?? true else { return false }
    best = Best(epoch: epoch, metric: metric)
    return true
  }
}
