/// How a ``BatchLoader`` iterates over a data set.
public struct LoaderOptions: Codable, Sendable, Equatable {
  /// Batch size.
  public var batchSize: Int
  /// Whether every epoch has its own random order; otherwise data set order.
  public var shuffles: Bool
  /// Random seed for order and augmentation.
  public var seed: UInt64
  public var partialBatch: PartialBatch
  /// Whether a broken image is an error; otherwise it is skipped and reported in its batch.
  public var isStrict: Bool
  /// Number of threads that decode and augment. It does not affect the batches.
  public var threads: Int
  /// Number of batches to prefetch, including those in the making.
  public var prefetch: Int

  /// What happens to the last images of an epoch if they do not fill a batch.
  public enum PartialBatch: String, Codable, Sendable {
    /// The batch is padded with repeated images whose label is ``Batch/ignoredLabel``.
    case keep
    /// The images are skipped in this epoch.
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
    // One in the making per thread, and some that are ready.
    self.prefetch = prefetch ?? max(4, threads + 2)
  }

  /// Options for validation: every image once, in order.
  public static func evaluation(batchSize: Int, isStrict: Bool = false, threads: Int = 1) -> LoaderOptions {
    LoaderOptions(batchSize: batchSize, shuffles: false, isStrict: isStrict, threads: threads)
  }
}

/// A position in a run: the batch that comes next. Saved with a checkpoint, it lets the run resume.
public struct BatchPosition: Codable, Sendable, Equatable, Comparable {
  /// Epoch, from 0.
  public var epoch: Int
  /// Batch within the epoch, from 0.
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
