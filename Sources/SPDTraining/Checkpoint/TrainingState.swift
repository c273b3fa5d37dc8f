/// Where a run is: everything but the tensors that it takes to go on as if it had never stopped.
///
/// The schedule's state is `epoch` and `iteration`: its rates are a function of those and of the configuration.
public struct TrainingState: Codable, Equatable, Sendable {
  /// Epochs that are over.
  public var epoch = 0
  /// Iterations of the running epoch that are over; 0 between epochs.
  public var iteration = 0
  /// Batches whose gradients wait in the sum for the next update.
  public var summed = 0
  /// Steps of the optimiser so far: Adam's t, and the updates of the moving average.
  public var updates = 0

  /// The epoch with the best validation so far.
  public var best: Best?
  /// The states of the random generators by their purpose. A sampler that is a function of seed, epoch and position
  /// needs none.
  public var generators: [String: [UInt64]] = [:]
  /// Sums of the running epoch.
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

  /// Notes an epoch's validation.
  ///
  /// - Returns: whether it is the best so far: larger than all before. What is not a number never is.
  @discardableResult
  public mutating func noteValidation(_ metric: Double, epoch: Int) -> Bool {
    guard !metric.isNaN, best.map({ metric > $0.metric }) ?? true else { return false }
    best = Best(epoch: epoch, metric: metric)
    return true
  }
}
