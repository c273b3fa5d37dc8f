import Foundation

/// Images for one step, ready for a network.
///
/// The memory goes back to its loader when the batch goes away, and serves the next one.
public final class Batch: @unchecked Sendable {
  /// The label of rows that a loss leaves out.
  public static let ignoredLabel: Int32 = -1

  public let position: BatchPosition
  /// Rows with an image of their own: the first ones. Less than `batchSize` at the end of an epoch, or where images
  /// are broken, and none where all of them are: then there is nothing to learn from. The rows after them repeat the first ones in turn, so that statistics over the batch see images only,
  /// and have the label ``ignoredLabel``.
  public let count: Int
  /// The data set's index of the image in each of the first `count` rows.
  public let indices: [Int]
  /// Images that should have been in this batch and cannot be decoded.
  public let broken: [BrokenImage]
  private let storage: BatchStorage
  private let pool: BatchPool

  init(
    position: BatchPosition, indices: [Int], broken: [BrokenImage], storage: BatchStorage, pool: BatchPool
  ) {
    self.position = position
    self.count = indices.count
    self.indices = indices
    self.broken = broken
    self.storage = storage
    self.pool = pool
  }

  deinit { pool.giveBack(storage) }

  /// All rows, N×3×H×W, 64-byte aligned. Valid as long as the batch lives.
  public var images: UnsafeBufferPointer<Float> { UnsafeBufferPointer(storage.images) }

  /// One class index per row. Valid as long as the batch lives.
  public var labels: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(storage.labels) }

  /// Copies everything to memory of the caller's, such as the input of a module.
  ///
  /// - Precondition: the buffers are as large as ``images`` and ``labels``.
  public func copy(images target: UnsafeMutableBufferPointer<Float>, labels: UnsafeMutableBufferPointer<Int32>) {
    precondition(
      target.count == images.count && labels.count == self.labels.count,
      "a batch has \(images.count) values and \(self.labels.count) labels")
    _ = target.update(fromContentsOf: images)
    _ = labels.update(fromContentsOf: self.labels)
  }
}

/// The memory of one batch.
final class BatchStorage: @unchecked Sendable {
  let images: UnsafeMutableBufferPointer<Float>
  let labels: UnsafeMutableBufferPointer<Int32>

  init(rows: Int, valuesPerRow: Int) {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: rows * valuesPerRow * MemoryLayout<Float>.stride, alignment: 64)
    let floats = raw.initializeMemory(as: Float.self, repeating: 0, count: rows * valuesPerRow)
    images = UnsafeMutableBufferPointer(start: floats, count: rows * valuesPerRow)
    labels = .allocate(capacity: rows)
    labels.initialize(repeating: Batch.ignoredLabel)
  }

  deinit {
    images.baseAddress?.deallocate()
    labels.deallocate()
  }
}

/// Memory that waits for the next batch. It never makes anybody wait: a consumer that keeps its batches gets new
/// memory.
final class BatchPool: @unchecked Sendable {
  private let rows, valuesPerRow: Int
  private let lock = NSLock()
  private var free: [BatchStorage] = []

  init(rows: Int, valuesPerRow: Int) {
    self.rows = rows
    self.valuesPerRow = valuesPerRow
  }

  func take() -> BatchStorage {
    lock.withLock { free.popLast() } ?? BatchStorage(rows: rows, valuesPerRow: valuesPerRow)
  }

  func giveBack(_ storage: BatchStorage) { lock.withLock { free.append(storage) } }
}
