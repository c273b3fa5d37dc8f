import Foundation

/// A mini-batch of images, ready for a network.
///
/// When the batch is released, its loader reuses the memory for a later one.
public final class Batch: @unchecked Sendable {
  /// The label of rows that a loss ignores.
  public static let ignoredLabel: Int32 = -1

  public let position: BatchPosition
  /// Number of rows with an image of their own, which come first. Less than `batchSize` at the end of an epoch, or
  /// where images are broken; 0 where all of them are. The other rows repeat the first ones in turn, so that batch
  /// statistics cover real images only, and have the label ``ignoredLabel``.
  public let count: Int
  /// The data set index of the image in each of the first `count` rows.
  public let indices: [Int]
  /// Images that belong to this batch but cannot be decoded.
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

  /// All rows, N×3×H×W, 64-byte aligned. Valid for the lifetime of the batch.
  public var images: UnsafeBufferPointer<Float> { UnsafeBufferPointer(storage.images) }

  /// One class index per row. Valid for the lifetime of the batch.
  public var labels: UnsafeBufferPointer<Int32> { UnsafeBufferPointer(storage.labels) }

  /// Copies everything to the caller's memory, such as the input of a module.
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

/// A pool of batch memory. It never blocks: a consumer that keeps its batches gets new memory.
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
