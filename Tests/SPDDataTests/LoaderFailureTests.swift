import Dispatch
import Foundation
import SPDVision
import Testing

@testable import SPDData

/// Broken images, wrong options, and being stopped.
struct LoaderFailureTests {
  private static let transform = ImageTransform(height: 8, width: 8)

  @Test func brokenImagesAreLeftOutAndReported() throws {
    let data = TestImages(count: 10, broken: [1, 2, 9])
    let loader = try BatchLoader(
      data, transform: Self.transform, options: .evaluation(batchSize: 5, threads: 3), epochs: 1)
    let first = try #require(try loader.next())
    #expect(first.indices == [0, 3, 4])
    #expect(Array(first.labels) == [0, 0, 1, -1, -1])
    #expect(first.broken.map(\.index) == [1, 2])
    #expect(first.broken[0].description == "image 1: is torn; glue it")
    #expect(try loader.next()?.broken.map(\.index) == [9])
  }

  @Test func scanFindsThemAll() {
    let data = TestImages(count: 1000, broken: [999, 3, 500])
    let progress = Highest()
    let broken = data.brokenImages { progress.note($0) }
    #expect(broken.map(\.index) == [3, 500, 999])
    #expect(broken[1].error == DataError(path: "image 500", what: "is torn", remedy: "glue it"))
    #expect(progress.value == 1000)
    let sound = Subset(data, excluding: broken)
    #expect(sound.count == 997)
    #expect(sound.origin(3) == "image 4" && sound.annotation(3) == .classIndex(1))
    #expect(sound.brokenImages().isEmpty)
    #expect(sound.classNames == data.classNames && sound.name == data.name)
  }

  private final class Highest: @unchecked Sendable {
    private let lock = NSLock()
    private var highest = 0
    var value: Int { lock.withLock { highest } }
    func note(_ value: Int) { lock.withLock { highest = max(highest, value) } }
  }

  @Test func brokenFilesOfEveryKindAreNamed() throws {
    let folder = try TemporaryFolder()
    let jpeg = try formulaImage(16, 16, seed: 1).jpeg()
    for name in ["a", "b"] { try folder.write("train/\(name)/0.jpg", jpeg) }
    for name in ["a", "b"] { try folder.write("val/\(name)/0.jpg", jpeg) }
    try folder.write("train/a/1.jpg", Array(jpeg.prefix(jpeg.count / 2)))
    try folder.write("train/a/2.png", [])
    try folder.write("train/a/3.jpg", "hello")
    try folder.write("train/a/4.ppm", "P6 1 1 255 ")
    let data = try openDataset(folder.path).training
    let broken = data.brokenImages()
    let name = { (number: Int, ending: String) in "\(folder.path)/train/a/\(number).\(ending)" }
    #expect(broken.map(\.index) == [1, 2, 3, 4])
    #expect(broken[0].description.hasPrefix(name(1, "jpg") + ": the JPEG is damaged or cut off ("))
    #expect(broken[1].description == name(2, "png") + ": the file is empty; give a JPEG, PNG or BMP file")
    #expect(broken[2].description.hasPrefix(name(3, "jpg") + ": the file is something else"))
    #expect(broken[3].description.hasPrefix(name(4, "ppm") + ": the P6 image is cut off"))
    // A file that goes away while the run is on.
    try FileManager.default.removeItem(atPath: folder.path + "/train/b/0.jpg")
    #expect(data.brokenImages().last?.description.contains("b/0.jpg: cannot be opened: No such file") == true)
    let loader = try BatchLoader(data, transform: Self.transform, options: .evaluation(batchSize: 6), epochs: 1)
    let batch = try #require(try loader.next())
    #expect(batch.count == 1 && batch.broken.count == 5)
  }

  /// A missing disk ends the run; its images are not broken.
  @Test func aFolderThatIsGone() throws {
    let folder = try TemporaryFolder()
    for name in ["a/0.ppm", "a/1.ppm", "b/0.ppm", "b/1.ppm"] { try folder.write(name, Array("P6 1 1 255\nabc".utf8)) }
    var options = DatasetOptions()
    options.validationFraction = 1
    let data = try openDataset(folder.path, options: options).validation
    try FileManager.default.removeItem(atPath: folder.path + "/b")
    let loader = try BatchLoader(data, transform: Self.transform, options: .evaluation(batchSize: 2), epochs: 1)
    #expect(try loader.next()?.count == 2)
    #expect(message { _ = try loader.next() } == folder.path + "/b: the folder is missing; restore it")
  }

  @Test func strictRefusesInThePlaceOfTheBatch() throws {
    for threads in [1, 4] {
      var options = LoaderOptions.evaluation(batchSize: 5, isStrict: true, threads: threads)
      options.prefetch = 8
      let loader = try BatchLoader(
        TestImages(count: 50, broken: [13, 31]), transform: Self.transform, options: options, epochs: 2)
      #expect(try loader.next()?.position.batch == 0)
      #expect(try loader.next()?.position.batch == 1)
      for _ in 0..<3 { #expect(message { _ = try loader.next() } == "image 13: is torn; glue it") }
      #expect(loader.position == BatchPosition(epoch: 0, batch: 2))
      loader.cancel()
      #expect(try loader.next() == nil)
    }
  }

  @Test func aBatchOfBrokenImagesIsEmpty() throws {
    let loader = try BatchLoader(
      TestImages(count: 13, broken: Set(5..<10)), transform: Self.transform, options: .evaluation(batchSize: 5),
      epochs: 1)
    #expect(try loader.next()?.count == 5)
    let batch = try #require(try loader.next())
    #expect(batch.count == 0 && batch.indices.isEmpty && batch.broken.map(\.index) == Array(5..<10))
    #expect(batch.labels.allSatisfy { $0 == Batch.ignoredLabel } && batch.images.allSatisfy { $0 == 0 })
    #expect(try loader.next()?.count == 3)
    #expect(try loader.next() == nil)
  }

  @Test func wrongOptions() {
    func problem(
      _ data: TestImages = TestImages(count: 10), from position: BatchPosition = .start,
      transform: ImageTransform = Self.transform, _ change: (inout LoaderOptions) -> Void = { _ in }
    ) -> String {
      var options = LoaderOptions(batchSize: 4)
      change(&options)
      return message { _ = try BatchLoader(data, transform: transform, options: options, from: position) } ?? "none"
    }
    #expect(problem { $0.batchSize = 0 } == "test images: the batch size is 0; choose one from 1 to 1000000")
    #expect(
      problem { $0.threads = 257 } == "test images: the number of loader threads is 257; choose one from 1 to 256")
    #expect(problem { $0.prefetch = 0 }.contains("the number of batches to prefetch is 0; choose one from 1"))
    #expect(problem(TestImages(count: 0)) == "test images: has no images; check what the folder holds")
    #expect(
      problem(TestImages(count: 3)) { $0.partialBatch = .drop }
        == "test images: 3 images do not fill a batch of 4; use a smaller batch or keep the partial batch")
    for position in [BatchPosition(epoch: 1, batch: 3), BatchPosition(epoch: 0, batch: -1)] {
      #expect(
        problem(from: position)
          == "test images: there is no batch \(position.batch) in epoch \(position.epoch), which has 3; resume with the "
          + "data set and the batch size that the run began with")
    }
    #expect(problem(from: BatchPosition(epoch: -1, batch: 0)).contains("no batch 0 in epoch -1"))
    #expect(
      problem(transform: ImageTransform(height: 8, width: 0)).hasPrefix("the image transform: the input is 8×0"))
  }

  @Test func cancellingEndsEverything() throws {
    for round in 0..<50 {
      let data = TestImages(count: 1000, delay: 0.00002)
      let loader = try BatchLoader(
        data, transform: Self.transform, options: LoaderOptions(batchSize: 8, threads: 3, prefetch: 4))
      for _ in 0..<round % 5 { _ = try loader.next() }
      loader.cancel()
      loader.cancel()
      #expect(try loader.next() == nil)
    }
  }

  @Test func cancellingWakesAWaitingConsumer() throws {
    let data = GatedImages()
    let loader = try BatchLoader(data, transform: Self.transform, options: LoaderOptions(batchSize: 1))
    let consumerEnded = DispatchSemaphore(value: 0)
    let cancelEnded = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var gotNothing = false
    Thread.detachNewThread {
      do { gotNothing = try loader.next() == nil } catch {}
      consumerEnded.signal()
    }
    Thread.sleep(forTimeInterval: 0.02)
    Thread.detachNewThread {
      loader.cancel()
      cancelEnded.signal()
    }
    #expect(consumerEnded.wait(timeout: .now() + 30) == .success)
    #expect(gotNothing)
    // The loader's thread still waits for its image, and the cancellation for the thread.
    #expect(cancelEnded.wait(timeout: .now() + 0.05) == .timedOut)
    data.gate.signal()
    #expect(cancelEnded.wait(timeout: .now() + 30) == .success)
  }

  /// A data set whose image waits until the gate opens.
  private struct GatedImages: ImageDataset {
    let name = "gated"
    let classNames = ["a"]
    let count = 1
    let gate = DispatchSemaphore(value: 0)
    func annotation(_ index: Int) -> Annotation { .classIndex(0) }
    func origin(_ index: Int) -> String { "\(index)" }
    func image(_ index: Int) -> Image {
      gate.wait()
      return formulaImage(8, 8, seed: 1)
    }
  }

  @Test func aForgottenLoaderStopsItsThreads() throws {
    let data = CountingImages(delay: 0.001)
    do {
      let loader = try BatchLoader(
        data, transform: Self.transform, options: LoaderOptions(batchSize: 4, threads: 2, prefetch: 10_000))
      _ = try loader.next()
    }
    // Each thread finishes the batch that it is at. Had they not been stopped, they would be busy for 20 s more.
    var asked = -1
    for _ in 0..<100 where data.asked != asked {
      asked = data.asked
      Thread.sleep(forTimeInterval: 0.1)
    }
    #expect(data.asked == asked)
  }

  @Test func finishedRunsDeliverNothing() throws {
    let loader = try BatchLoader(
      TestImages(count: 8), transform: Self.transform, options: LoaderOptions(batchSize: 4),
      from: BatchPosition(epoch: 2, batch: 0), epochs: 2)
    #expect(try loader.next() == nil)
    loader.cancel()
  }
}
