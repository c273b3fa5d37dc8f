import Foundation
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct DetectionLoaderTests {
  /// Everything on, so that every random choice is drawn.
  private static let strong = {
    var parameters = DetectionHyperparameters.scratchHigh
    parameters.mosaic = 0.7
    parameters.mixup = 0.5
    parameters.degrees = 10
    parameters.shear = 3
    parameters.perspective = 0.0005
    parameters.flipud = 0.5
    return parameters
  }()
  private static let options = DetectionLoaderOptions(batchSize: 4, imageSize: 64, cutMix: 0.3, seed: 9)

  private static func threads(_ count: Int, _ options: DetectionLoaderOptions = options) -> DetectionLoaderOptions {
    var options = options
    options.threads = count
    return options
  }

  @Test func anyNumberOfThreadsDeliversTheSameBatches() throws {
    let data = ColouredRectangles(count: 13, broken: [3, 12], delay: 0.0003)
    let expected = try BatchContents.all(data, Self.options, parameters: Self.strong)
    #expect(expected.count == 8)
    #expect(Set(expected.map(\.images)).count == 8)
    for count in [2, 3] {
      let contents = try BatchContents.all(data, Self.threads(count), parameters: Self.strong)
      #expect(contents == expected, "\(count) threads")
    }
  }

  @Test func aRunResumesAtAnyBatch() throws {
    let data = ColouredRectangles(count: 7)
    let whole = try BatchContents.all(data, Self.threads(2), parameters: Self.strong)
    for (index, batch) in whole.enumerated() {
      let rest = try BatchContents.all(data, Self.threads(2), parameters: Self.strong, from: batch.position)
      #expect(rest == Array(whole[index...]))
    }
  }

  @Test func theLastBatchIsPartialAndRepeatsItsRows() throws {
    let images = try ImageCache(ColouredRectangles(count: 6), imageSize: 64)
    let loader = try DetectionLoader(images, options: Self.options, epochs: 1)
    let first = try #require(try loader.next())
    let last = try #require(try loader.next())
    #expect(try loader.next() == nil)
    #expect(first.count == 4 && last.count == 2 && last.rows == 4)
    #expect(Set(first.indices + last.indices) == Set(0..<6))
    let row = 3 * 64 * 64
    #expect(Array(last.images[0..<2 * row]) == Array(last.images[2 * row..<4 * row]))
    #expect(last.paddedTargets.count == 2 * last.targets.count)
    #expect(first.paddedTargets == first.targets)
    #expect(Int(bitPattern: first.images.baseAddress!) % 64 == 0)
    #expect(first.images.allSatisfy { (0...1).contains($0) })
  }

  @Test func brokenImagesAreSkippedAndReportedOnce() throws {
    let data = ColouredRectangles(count: 12, broken: [2, 7])
    let contents = try BatchContents.all(data, Self.options, epochs: 3)
    #expect(contents.flatMap(\.broken).sorted() == [2, 7])
    for epoch in 0..<3 {
      let indices = contents.filter { $0.position.epoch == epoch }.flatMap(\.indices)
      #expect(Set(indices) == Set(0..<12).subtracting([2, 7]) && indices.count == 10)
    }
    var strict = Self.options
    strict.isStrict = true
    #expect(loadingError { _ = try BatchContents.all(data, strict) }.contains("is torn; glue it"))
  }

  @Test func aBatchOfBrokenImagesIsEmpty() throws {
    let data = ColouredRectangles(count: 2, broken: [0, 1])
    let contents = try BatchContents.all(data, Self.options, epochs: 1)
    #expect(contents.count == 1 && contents[0].indices.isEmpty && contents[0].targets.isEmpty)
    #expect(contents[0].images.allSatisfy { $0 == 0 })
  }

  @Test func cachesDoNotChangeTheBatches() throws {
    let data = ColouredRectangles(count: 9, broken: [4])
    let expected = try BatchContents.all(data, Self.options, parameters: Self.strong)
    for limit in [0, 30_000, 1 << 30] {
      let contents = try BatchContents.all(data, Self.threads(2), parameters: Self.strong, mode: .ram(limit: limit))
      #expect(contents == expected, "\(limit) bytes")
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spd-" + UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func fromDisk() throws -> [BatchContents] {
      try BatchContents.all(data, Self.options, parameters: Self.strong, mode: .disk(folder: folder))
    }
    for _ in 0..<2 { #expect(try fromDisk() == expected) }
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(files.count == 8)
    // Damaged files are decoded again.
    for (number, name) in files.enumerated() {
      try Data(repeating: 7, count: number * 9).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    #expect(try fromDisk() == expected)
  }

  @Test func theMemoryOfACacheIsCounted() throws {
    let images = try ImageCache(ColouredRectangles(count: 3), imageSize: 64, mode: .ram)
    for index in 0..<3 { _ = try images.image(index) }
    #expect(images.bytes == images.bytesNeeded && images.bytes > 0)
  }

  @Test func validationBatchesAreRectangularAndMapBoxesBack() throws {
    let data = ColouredRectangles(count: 10)
    let options = DetectionLoaderOptions.validation(batchSize: 3, imageSize: 96, threads: 2)
    let contents = try BatchContents.all(data, options, epochs: 1)
    #expect(contents.flatMap(\.indices).sorted() == Array(0..<10))
    #expect(Set(contents.map { [$0.height, $0.width] }).count > 1)
    for batch in contents {
      #expect(batch.height % 32 == 0 && batch.width % 32 == 0)
      for (row, index) in batch.indices.enumerated() {
        let target = Array(batch.targets[row * 6..<row * 6 + 6])
        #expect(target[0] == Float(row) && target[1] == Float(index % 3))
        let half = SIMD2(target[4], target[5]) / 2
        let centre = SIMD2(target[2], target[3])
        let sides = SIMD4(Float(batch.width), Float(batch.height), Float(batch.width), Float(batch.height))
        let box = SIMD4(lowHalf: centre - half, highHalf: centre + half) * sides
        // One gain for both axes, that of the heights: where the widths' differs, x is off by their quotient.
        let (width, height) = data.size(index)
        let resized = trainingSize(width: width, height: height, size: 96)
        let stretch = Float(resized.width * height) / Float(width * resized.height)
        let expected = SIMD4<Float>(data.rectangle(index)) * SIMD4(stretch, 1, stretch, 1)
        let offset = batch.fits[row].original(box) - expected
        for axis in 0..<4 { #expect(abs(offset[axis]) < 0.01) }
        // Labels are compared with that error too.
        let label = DetectionLabel.all(in: batch.fits[row].evaluated(data.labels(index)))[0].box - expected
        for axis in 0..<4 { #expect(abs(label[axis]) < 0.01) }
      }
    }
  }

  @Test func multiScaleDrawsASizePerBatch() throws {
    var options = Self.options
    options.isMultiScale = true
    let contents = try BatchContents.all(ColouredRectangles(count: 12), options, epochs: 3)
    let sizes = Set(contents.map(\.width))
    #expect(sizes.count > 1 && sizes.isSubset(of: MultiScale.sizes(imageSize: 64)))
    #expect(contents.allSatisfy { $0.width == $0.height && $0.images.count == 4 * 4 * 3 * $0.width * $0.width })
    #expect(try BatchContents.all(ColouredRectangles(count: 12), Self.threads(3, options), epochs: 3) == contents)
    #expect(MultiScale.sizes(imageSize: 640) == Array(stride(from: 320, through: 960, by: 32)))
  }

  @Test func imageWeightsDrawDifficultImagesMoreOften() throws {
    let data = ColouredRectangles(count: 30)
    let weights = ImageWeights.weights(
      data, classWeights: ImageWeights.classWeights(data), meanAPs: [0.9, 0.9, 0.1])
    #expect(abs(weights[2] / weights[0] - 81) < 1e-9)
    var single = DetectionHyperparameters.scratch
    single.mosaic = 0
    let contents = try BatchContents.all(data, Self.options, parameters: single, weights: weights, epochs: 4)
    let drawn = contents.flatMap(\.indices)
    #expect(drawn.count == 120)
    #expect(drawn.count { $0 % 3 == 2 } > 105)
    let refusal = loadingError { _ = try BatchContents.all(data, Self.options, weights: [1, .nan]) }
    #expect(refusal.contains("image weights"))
  }

  @Test func optionsThatCannotWorkAreRefused() throws {
    let data = ColouredRectangles(count: 3)
    func refusal(_ change: (inout DetectionLoaderOptions) -> Void) -> String {
      var options = Self.options
      change(&options)
      return loadingError { _ = try BatchContents.all(data, options) }
    }
    #expect(refusal { $0.batchSize = 0 }.contains("batch size is 0"))
    #expect(refusal { $0.imageSize = 100 }.contains("choose 128"))
    #expect(refusal { $0.cutMix = .nan }.contains("CutMix"))
    #expect(refusal { ($0.isMultiScale, $0.isRectangular) = (true, true) }.contains("choose one of the two"))
    let none = loadingError { _ = try BatchContents.all(ColouredRectangles(count: 0), Self.options) }
    #expect(none.contains("no images"))
    let position = BatchPosition(epoch: 0, batch: 7)
    #expect(loadingError { _ = try BatchContents.all(data, Self.options, from: position) }.contains("no batch 7"))
  }
}
