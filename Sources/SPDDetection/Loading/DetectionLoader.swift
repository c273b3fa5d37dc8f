import Foundation
import SPDData

/// Iterates over labelled images epoch by epoch and delivers batches, which background threads prefetch.
///
/// Batch (epoch, b) depends only on data set, hyperparameters, seed and options: not on the number of threads, the cache
/// or where the run started. So a run that resumes at ``position`` gets the same batches as the uninterrupted one.
///
/// ```swift
/// let images = try ImageCache(dataset, imageSize: 640, mode: .ram)
/// let loader = try DetectionLoader(images, options: DetectionLoaderOptions(batchSize: 16, imageSize: 640))
/// while let batch = try loader.next() { … }
/// ```
///
/// For training with image weights, make a loader for each epoch with the weights of ``ImageWeights``, from the epoch's
/// first batch and with `epochs` one more than its number.
public final class DetectionLoader: @unchecked Sendable {
  public let options: DetectionLoaderOptions
  public let batchesPerEpoch: Int
  private let queue: BatchQueue<DetectionBatch>
  private let lock = NSLock()
  /// Indices of the broken images that have been reported.
  private var reported: Set<Int> = []

  /// Starts the threads, which begin to work at once.
  ///
  /// - Parameters:
  ///   - images: the data set; its cache must have the options' image size and augmentation.
  ///   - weights: draws an epoch's images with replacement, in proportion to one weight per image.
  ///   - position: the first batch to deliver.
  ///   - epochs: number of epochs of the whole run, including those before `position`; unlimited by default.
  /// - Throws: `DataError` where an option is invalid, or the data set has no images.
  public init(
    _ images: ImageCache, hyperparameters: DetectionHyperparameters = .scratch, options: DetectionLoaderOptions,
    weights: [Double]? = nil, from position: BatchPosition = .start, epochs: Int? = nil
  ) throws(DataError) {
    let dataset = images.dataset
    try options.validate(dataset.name)
    guard dataset.count > 0 else {
      throw DataError(path: dataset.name, what: "has no images", remedy: "check what the folder holds")
    }
    guard images.imageSize == options.imageSize, images.augments == options.augments else {
      throw DataError(
        path: dataset.name, what: "the image cache is for another size or another use",
        remedy: "make one of size \(options.imageSize)")
    }
    if let weights {
      let isUsable = weights.count == dataset.count && weights.allSatisfy { $0 >= 0 && $0 <= 1e100 }
      guard isUsable, weights.contains(where: { $0 > 0 }), !options.isRectangular else {
        throw DataError(
          path: dataset.name, what: "the image weights cannot be used",
          remedy: "give one weight per image, none negative and one positive, without rectangular batches")
      }
    }
    let builder = DetectionBatchBuilder(images, parameters: hyperparameters, options: options, weights: weights)
    let perEpoch = builder.batchesPerEpoch
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
  /// - Throws: with `isStrict`, the error of a broken image, in place of its batch; always, an error of the machine, such
  ///   as an unmounted disk. After an error every call throws it again.
  public func next() throws(DataError) -> DetectionBatch? {
    guard let batch = try queue.next() else { return nil }
    lock.withLock { batch.broken = batch.broken.filter { reported.insert($0.index).inserted } }
    return batch
  }

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
}
