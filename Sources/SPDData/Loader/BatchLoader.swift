import Foundation

/// Iterates over a data set epoch by epoch and delivers batches, which background threads prefetch.
///
/// Batch (epoch, b) depends only on data set, transform, seed and options: not on the number of threads or on where the
/// run started. So a run that resumes at ``position`` gets the same batches as the uninterrupted one.
///
/// ```swift
/// let loader = try BatchLoader(data.training, transform: transform, options: LoaderOptions(batchSize: 128))
/// while let batch = try loader.next() { … }
/// ```
public final class BatchLoader: @unchecked Sendable {
  public let options: LoaderOptions
  public let batchesPerEpoch: Int
  private let queue: BatchQueue<Batch>

  /// Starts the threads, which begin to work at once.
  ///
  /// - Parameters:
  ///   - position: the first batch to deliver.
  ///   - epochs: number of epochs of the whole run, including those before `position`; unlimited by default.
  /// - Throws: `DataError` where an option is invalid, or the data set has no batch to offer.
  public init(
    _ dataset: any ImageDataset, transform: ImageTransform, options: LoaderOptions,
    from position: BatchPosition = .start,
    epochs: Int? = nil
  ) throws(DataError) {
    try transform.validate()
    try Self.validate(dataset, options)
    let builder = BatchBuilder(dataset: dataset, transform: transform, options: options)
    let perEpoch = builder.batchesPerEpoch
    guard perEpoch > 0 else {
      throw DataError(
        path: dataset.name, what: "\(dataset.count) images do not fill a batch of \(options.batchSize)",
        remedy: "use a smaller batch or keep the partial batch")
    }
    guard position.epoch >= 0, (0..<perEpoch).contains(position.batch) else {
      throw DataError(
        path: dataset.name,
        what: "there is no batch \(position.batch) in epoch \(position.epoch), which has \(perEpoch)",
        remedy: "resume with the data set and the batch size that the run began with")
    }
    self.options = options
    batchesPerEpoch = perEpoch

    let first = position.epoch * perEpoch + position.batch
    let end = epochs.map { max($0 * perEpoch, first) } ?? Int.max
    queue = BatchQueue(numbers: first..<end, depth: options.prefetch, workers: options.threads)
    queue.start { number throws(DataError) in
      try builder.batch(at: BatchPosition(epoch: number / perEpoch, batch: number % perEpoch))
    }
  }

  deinit { queue.cancel() }

  /// Returns the next batch, waiting for it if necessary; nil after the last epoch, and after ``cancel()``.
  ///
  /// - Throws: with `isStrict`, the error of a broken image, in place of its batch; always, an error of the machine,
  ///   such as an unmounted disk. After an error every call throws it again.
  public func next() throws(DataError) -> Batch? { try queue.next() }

  /// The position of the batch that ``next()`` returns next.
  public var position: BatchPosition {
    let number = queue.position
    return BatchPosition(epoch: number / batchesPerEpoch, batch: number % batchesPerEpoch)
  }

  /// Stops the threads and waits for them; each finishes its current batch. A call of ``next()`` that waits on another
  /// thread returns nil.
  public func cancel() {
    queue.cancel()
    queue.waitForWorkers()
  }

  private static func validate(_ dataset: any ImageDataset, _ options: LoaderOptions) throws(DataError) {
    let limits = [
      ("batch size", options.batchSize, 1...1_000_000), ("number of loader threads", options.threads, 1...256),
      ("number of batches to prefetch", options.prefetch, 1...10_000),
    ]
    for (name, value, range) in limits where !range.contains(value) {
      throw DataError(
        path: dataset.name, what: "the \(name) is \(value)",
        remedy: "choose one from \(range.lowerBound) to \(range.upperBound)")
    }
    guard dataset.count > 0 else {
      throw DataError(path: dataset.name, what: "has no images", remedy: "check what the folder holds")
    }
  }
}
