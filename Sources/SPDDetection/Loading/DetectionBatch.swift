import Foundation
import SPDData

/// A mini-batch of images with their objects, ready for a network.
///
/// When the batch is released, its loader reuses the memory for a later one.
public final class DetectionBatch: @unchecked Sendable {
  public let position: BatchPosition
  /// Number of rows of ``images``.
  public let rows: Int
  /// Size of the images in pixels.
  public let height, width: Int
  /// Number of rows with an image of their own, which come first: less than ``rows`` at the end of an epoch, or where
  /// images are broken; 0 where all of them are. The other rows repeat the first ones in turn.
  public let count: Int
  /// The data set index of the image in each of the first `count` rows.
  public let indices: [Int]
  /// Six values per object of the first `count` rows: row, class index, and centre x, centre y, width and height as
  /// fractions of the sides.
  public let targets: [Float]
  /// How each of the first `count` images was fitted into the input; empty if images are augmented.
  public let fits: [ImageFit]
  /// Images that cannot be decoded and that no earlier batch of this loader reported.
  public internal(set) var broken: [BrokenImage]
  private let storage: FloatStorage
  private let pool: FloatPool

  init(
    position: BatchPosition, rows: Int, height: Int, width: Int, indices: [Int], targets: [Float], fits: [ImageFit],
    broken: [BrokenImage], storage: FloatStorage, pool: FloatPool
  ) {
    self.position = position
    self.rows = rows
    self.height = height
    self.width = width
    self.count = indices.count
    self.indices = indices
    self.targets = targets
    self.fits = fits
    self.broken = broken
    self.storage = storage
    self.pool = pool
  }

  deinit { pool.giveBack(storage) }

  /// All rows, N×3×H×W in the range 0...1, channels R, G, B, 64-byte aligned. Valid for the lifetime of the batch.
  public var images: UnsafeBufferPointer<Float> { UnsafeBufferPointer(storage.values) }

  /// ``targets`` and those of the repeated rows.
  public var paddedTargets: [Float] {
    guard count > 0, count < rows else { return targets }
    var padded = targets
    for row in count..<rows {
      for start in stride(from: 0, to: targets.count, by: 6) where targets[start] == Float(row % count) {
        padded.append(Float(row))
        padded += targets[start + 1..<start + 6]
      }
    }
    return padded
  }
}

/// How an image was fitted into a network's input for validation, to map boxes back.
public struct ImageFit: Sendable, Equatable {
  /// The original image in pixels.
  public var imageWidth, imageHeight: Int
  /// The image as it was drawn, in pixels of the input.
  public var drawnWidth, drawnHeight: Double
  /// Pixels of the input per original pixel: the ratio of the heights, used for both axes as in the reference.
  public var gain: Double
  /// The unrounded pads on the left and at the top, in pixels of the input.
  public var padX, padY: Double

  public init(
    imageWidth: Int, imageHeight: Int, drawnWidth: Double, drawnHeight: Double, gain: Double, padX: Double,
    padY: Double
  ) {
    self.imageWidth = imageWidth
    self.imageHeight = imageHeight
    self.drawnWidth = drawnWidth
    self.drawnHeight = drawnHeight
    self.gain = gain
    self.padX = padX
    self.padY = padY
  }

  /// Maps a box (left, top, right, bottom) from pixels of the input to those of the original image, clipped to it:
  /// (x − pad) / gain.
  public func original(_ box: SIMD4<Float>) -> SIMD4<Float> {
    let pad = SIMD4(Float(padX), Float(padY), Float(padX), Float(padY))
    let limit = SIMD4(Float(imageWidth), Float(imageHeight), Float(imageWidth), Float(imageHeight))
    return ((box - pad) / Float(gain)).clamped(lowerBound: .zero, upperBound: limit)
  }

  /// The labels as the reference compares them with detections: mapped to the input as it was drawn, and back by the one
  /// gain. Sides are cut to whole pixels, so the gain is up to a pixel's share wrong along x, for both alike.
  public func evaluated(_ image: LabelledImage) -> LabelledImage {
    let error = SIMD2(
      Float(drawnWidth / Double(imageWidth) / gain), Float(drawnHeight / Double(imageHeight) / gain))
    var image = image
    for index in image.objects.indices {
      let box = image.objects[index].box
      let low = ((box.lowHalf - box.highHalf / 2) * error).clamped(lowerBound: .zero, upperBound: .one)
      let high = ((box.lowHalf + box.highHalf / 2) * error).clamped(lowerBound: .zero, upperBound: .one)
      image.objects[index].box = SIMD4(lowHalf: (low + high) / 2, highHalf: high - low)
    }
    return image
  }
}

/// Floats at an address that is a multiple of 64.
final class FloatStorage: @unchecked Sendable {
  let values: UnsafeMutableBufferPointer<Float>

  init(count: Int) {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
    values = UnsafeMutableBufferPointer(
      start: raw.initializeMemory(as: Float.self, repeating: 0, count: count), count: count)
  }

  deinit { values.baseAddress?.deallocate() }
}

/// A pool of batch memory. It never blocks: a consumer that keeps its batches gets new memory.
final class FloatPool: @unchecked Sendable {
  private let lock = NSLock()
  private let limit: Int
  private var free: [FloatStorage] = []

  /// - Parameter limit: maximum number of unused pieces, which may have different sizes.
  init(limit: Int) { self.limit = limit }

  func take(count: Int) -> FloatStorage {
    lock.withLock {
      free.firstIndex { $0.values.count == count }.map { free.remove(at: $0) }
    } ?? FloatStorage(count: count)
  }

  func giveBack(_ storage: FloatStorage) {
    lock.withLock {
      if free.count == limit { free.removeFirst() }
      free.append(storage)
    }
  }
}
