import Foundation
import SPDVision
import Testing

@testable import SPDData

struct LoaderTests {
  private static let transform = ImageTransform(
    height: 8, width: 8, augmentations: ImageTransform.cifar.augmentations,
    standardisation: ImageTransform.cifar.standardisation)

  /// What a batch holds, byte for byte.
  struct Contents: Equatable {
    var position: BatchPosition
    var indices: [Int]
    var labels: [Int32]
    var images: [UInt32]
    var broken: [BrokenImage]

    init(_ batch: Batch) {
      position = batch.position
      indices = batch.indices
      labels = Array(batch.labels)
      images = batch.images.map(\.bitPattern)
      broken = batch.broken
    }
  }

  private static func all(
    _ dataset: TestImages, _ options: LoaderOptions, from position: BatchPosition = .start, epochs: Int = 3
  ) throws -> [Contents] {
    let loader = try BatchLoader(dataset, transform: transform, options: options, from: position, epochs: epochs)
    var contents: [Contents] = []
    while let batch = try loader.next() { contents.append(Contents(batch)) }
    return contents
  }

  @Test func anyNumberOfThreadsDeliversTheSameBytes() throws {
    let data = TestImages(count: 53, broken: [3, 17, 52], delay: 0.0001)
    let expected = try Self.all(data, LoaderOptions(batchSize: 8, seed: 4))
    #expect(expected.count == 21)
    for (threads, prefetch) in [(1, 1), (2, 4), (3, 1), (8, 3), (16, 40)] {
      let options = LoaderOptions(batchSize: 8, seed: 4, threads: threads, prefetch: prefetch)
      #expect(try Self.all(data, options) == expected, "\(threads) threads")
    }
  }

  @Test func aRunContinuesWhereItStopped() throws {
    let data = TestImages(count: 53, broken: [3])
    let options = LoaderOptions(batchSize: 8, seed: 4, threads: 2)
    let whole = try Self.all(data, options)
    for (index, batch) in whole.enumerated() {
      #expect(try Self.all(data, options, from: batch.position) == Array(whole[index...]))
    }
    let loader = try BatchLoader(data, transform: Self.transform, options: options, epochs: 3)
    for _ in 0..<9 { _ = try loader.next() }
    #expect(loader.position == whole[9].position)
    #expect(loader.position == BatchPosition(epoch: 1, batch: 2))
    let saved = try JSONEncoder().encode(loader.position)
    #expect(try JSONDecoder().decode(BatchPosition.self, from: saved) == loader.position)
  }

  @Test func everyImageOnceAnEpochInAnOrderOfItsOwn() throws {
    let data = TestImages(count: 53)
    let batches = try Self.all(data, LoaderOptions(batchSize: 8, seed: 4))
    let epochs = (0..<3).map { epoch in batches.filter { $0.position.epoch == epoch }.flatMap(\.indices) }
    for order in epochs { #expect(order.sorted() == Array(0..<53)) }
    #expect(Set(epochs).count == 3)
    #expect(!epochs.contains(Array(0..<53)))
    let other = try Self.all(data, LoaderOptions(batchSize: 8, seed: 5), epochs: 1)
    #expect(other.flatMap(\.indices) != epochs[0])
    let unshuffled = try Self.all(data, LoaderOptions(batchSize: 8, shuffles: false), epochs: 2)
    #expect(unshuffled.flatMap(\.indices) == Array(0..<53) + Array(0..<53))
  }

  @Test func rowsAreTheTransformedImagesWithTheirLabels() throws {
    let data = TestImages(count: 20)
    let loader = try BatchLoader(
      data, transform: Self.transform, options: LoaderOptions(batchSize: 5, seed: 9), epochs: 2)
    var differences = 0
    while let batch = try loader.next() {
      #expect(batch.images.count == 5 * 3 * 64)
      #expect(UInt(bitPattern: batch.images.baseAddress) % 64 == 0)
      for (row, index) in batch.indices.enumerated() {
        let image = Self.transform.image(
          try data.image(index), seed: 9, epoch: batch.position.epoch, index: index)
        let expected = normalised([image], Self.transform.standardisation.normalisation)
        #expect(Array(batch.images[row * 192..<(row + 1) * 192]) == expected)
        #expect(batch.labels[row] == Int32(index % 3))
        if image != (try data.image(index)) { differences += 1 }
      }
    }
    #expect(differences > 30)
  }

  @Test func partialBatchIsFilledUpWithIgnoredRows() throws {
    let data = TestImages(count: 11)
    let options = LoaderOptions.evaluation(batchSize: 8, threads: 2)
    let loader = try BatchLoader(data, transform: Self.transform.evaluation, options: options, epochs: 1)
    #expect(loader.batchesPerEpoch == 2)
    #expect(try loader.next()?.count == 8)
    let last = try #require(try loader.next())
    #expect(last.count == 3 && last.indices == [8, 9, 10])
    #expect(Array(last.labels) == [2, 0, 1, -1, -1, -1, -1, -1])
    for row in 3..<8 {
      let first = row % 3
      #expect(Array(last.images[row * 192..<row * 192 + 192]) == Array(last.images[first * 192..<first * 192 + 192]))
    }
    #expect(try loader.next() == nil)
    #expect(try loader.next() == nil)
  }

  @Test func partialBatchCanBeDropped() throws {
    let batches = try Self.all(
      TestImages(count: 11), LoaderOptions(batchSize: 4, partialBatch: .drop), epochs: 2)
    #expect(batches.count == 4)
    #expect(batches.allSatisfy { $0.indices.count == 4 && !$0.labels.contains(-1) })
    // Another epoch leaves out others.
    #expect(Set(batches[..<2].flatMap(\.indices)) != Set(batches[2...].flatMap(\.indices)))
  }

  @Test func copiesToTheCaller() throws {
    let loader = try BatchLoader(
      TestImages(count: 4), transform: Self.transform, options: LoaderOptions(batchSize: 4), epochs: 1)
    let batch = try #require(try loader.next())
    var images = [Float](repeating: .nan, count: 4 * 192)
    var labels = [Int32](repeating: -7, count: 4)
    images.withUnsafeMutableBufferPointer { images in
      labels.withUnsafeMutableBufferPointer { batch.copy(images: images, labels: $0) }
    }
    #expect(images == Array(batch.images))
    #expect(labels == Array(batch.labels))
  }

  @Test func memoryIsUsedAgain() throws {
    let loader = try BatchLoader(
      TestImages(count: 64), transform: Self.transform, options: LoaderOptions(batchSize: 4, prefetch: 2), epochs: 4)
    var addresses: Set<UnsafePointer<Float>> = []
    var count = 0
    while let batch = try loader.next() {
      addresses.insert(batch.images.baseAddress!)
      count += 1
    }
    #expect(count == 64)
    // Two ahead, one with the consumer, one on its way back.
    #expect(addresses.count <= 4)
  }

  @Test func aConsumerMayKeepAllBatches() throws {
    let loader = try BatchLoader(
      TestImages(count: 64), transform: Self.transform, options: LoaderOptions(batchSize: 4, prefetch: 2), epochs: 1)
    var kept: [Batch] = []
    while let batch = try loader.next() { kept.append(batch) }
    #expect(Set(kept.map { $0.images.baseAddress! }).count == 16)
    #expect(kept.flatMap(\.indices).sorted() == Array(0..<64))
  }

  @Test func nothingIsMadeBeyondThePrefetch() throws {
    let data = CountingImages()
    let loader = try BatchLoader(
      data, transform: Self.transform, options: LoaderOptions(batchSize: 10, shuffles: false, threads: 4, prefetch: 3))
    _ = try loader.next()
    // The one handed out and three more.
    for _ in 0..<2000 where data.asked < 40 { Thread.sleep(forTimeInterval: 0.01) }
    Thread.sleep(forTimeInterval: 0.1)
    #expect(data.asked == 40)
    loader.cancel()
    #expect(data.asked == 40)
  }
}

/// Counts how many images were asked for, and may take its time.
final class CountingImages: ImageDataset, @unchecked Sendable {
  let name = "counted"
  let classNames = ["a"]
  let count = 100_000
  private let delay: Double
  private let lock = NSLock()
  private var number = 0

  init(delay: Double = 0) { self.delay = delay }

  var asked: Int { lock.withLock { number } }
  func annotation(_ index: Int) -> Annotation { .classIndex(0) }
  func origin(_ index: Int) -> String { "\(index)" }
  func image(_ index: Int) -> Image {
    lock.withLock { number += 1 }
    if delay > 0 { Thread.sleep(forTimeInterval: delay) }
    return formulaImage(8, 8, seed: UInt32(index))
  }
}
