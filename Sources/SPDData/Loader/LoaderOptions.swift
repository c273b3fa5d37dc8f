/// How a ``BatchLoader`` goes through a data set.
public struct LoaderOptions: Codable, Sendable, Equatable {
  /// Rows of a batch.
  public var batchSize: Int
  /// Every epoch in an order of its own; otherwise in the order of the data set.
  public var shuffles: Bool
  /// What the order and the augmentations depend on.
  public var seed: UInt64
  public var partialBatch: PartialBatch
  /// A broken image is an error; otherwise it is left out and reported in its batch.
  public var isStrict: Bool
  /// Threads that decode and augment. What they deliver does not depend on their number.
  public var threads: Int
  /// Batches that are made ahead, those in the making among them.
  public var prefetch: Int

  /// What happens to the last images of an epoch when they do not fill a batch.
  public enum PartialBatch: String, Codable, Sendable {
    /// The batch is filled up with repeated images whose label is ``Batch/ignoredLabel``.
    case keep
    /// They are left out of this epoch.
    case drop
  }

  public init(
    batchSize: Int, shuffles: Bool = true, seed: UInt64 = 0, partialBatch: PartialBatch = .keep, isStrict: Bool = false,
    threads: Int = 1, prefetch: Int? = nil
  ) {
    self.batchSize = batchSize
    self.shuffles = shuffles
    self.seed = seed
    self.partialBatch = partialBatch
    self.isStrict = isStrict
    self.threads = threads
    // One in the making on each thread, and some that are ready.
    self.prefetch = prefetch ?? max(4, threads + 2)
  }

  /// For validation: every image once, in order.
  public static func evaluation(batchSize: Int, isStrict: Bool = false, threads: Int = 1) -> LoaderOptions {
    LoaderOptions(batchSize: batchSize, shuffles: false, isStrict: isStrict, threads: threads)
  }
}

/// A place in a run: the batch that comes next. Saved with a checkpoint, it lets the run go on where it stopped.
public struct BatchPosition: Codable, Sendable, Equatable, Comparable {
  /// From 0.
  public var epoch: Int
  /// Within the epoch, from 0.
  public var batch: Int

  public init(epoch: Int, batch: Int) {
    self.epoch = epoch
    self.batch = batch
  }

  public static let start = BatchPosition(epoch: 0, batch: 0)

  public static func < (first: BatchPosition, second: BatchPosition) -> Bool {
    (first.epoch, first.batch) < (second.epoch, second.batch)
  }
}
