import Foundation
import SPD
import SPDDriver
import SPDVision
import Synchronization
import Testing

@testable import SPDTraining

/// Detection from Swift, and what it is made of.
@Suite struct DetectorTests {
  private static let model = Model("mini-detector", input: .image(3, 64, 96), classes: 2) { image, classes in
    let fine = image.through(Conv(8, kernel: 3, stride: 2), Conv(8, kernel: 3, stride: 2))
    let coarse = fine.through(Conv(8, kernel: 3, stride: 2))
    return Detect(classes: classes, anchors: .init([[(10, 13), (16, 30)], [(30, 61), (62, 45)]]))(fine, coarse)
  }

  private static let images = (0..<3).map { seed in
    var random = SplitMix64(seed: UInt64(seed))
    let (width, height) = (50 + 20 * seed, 70)
    return Image(width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8(random.below(256)) })
  }

  @Test func aProgramDetects() async throws {
    var options = CompileOptions()
    options.batch = 2
    let batches = try await Detector(Self.model, weights: "synthetic", threads: 1, options: options)
    let single = try await Detector(Self.model, weights: "synthetic", threads: 2)
    #expect(single.size == Size2D(64, 96) && single.batch == 1 && batches.batch == 2)
    #expect(single.classNames == ["class 0", "class 1"])
    let found = try batches.detect(Self.images, DetectorOptions(confidence: 0.01, maximum: 20))
    #expect(found.count == 3)
    for (image, found) in zip(Self.images, found) {
      let alone = try single.detect(image, confidence: 0.01, maximum: 20)
      #expect(alone.count == found.count && !alone.isEmpty && alone.count <= 20)
      for (a, b) in zip(alone, found) {
        #expect(a.classIndex == b.classIndex && abs(a.score - b.score) < 1e-4)
        #expect((0..<4).allSatisfy { abs(a.box[$0] - b.box[$0]) < 0.1 })
        #expect(a.box.x >= 0 && a.box.z <= Float(image.width) && a.box.w <= Float(image.height))
      }
      let ones = try single.detect(image, confidence: 0.01, maximum: 20, classes: [1])
      #expect(ones.allSatisfy { $0.classIndex == 1 })
    }
  }

  @Test func theWrongKindOfNetwork() async throws {
    let classifier = Model("mini-classifier", input: .image(3, 32, 32), classes: 2) { image, classes in
      image.through(Conv(8, kernel: 3), GlobalAveragePool(), Flatten(), Linear(classes))
    }
    let failure = await #expect(throws: Failure.self) { _ = try await Detector(classifier, weights: "synthetic") }
    #expect(failure?.message.contains("mini-classifier is not a detector") == true)
  }

  // MARK: - test-time augmentation

  @Test func passesHaveTheReferencesShapesAndRows() throws {
    let shapes = TestTimeAugmentation.passes.map { TestTimeAugmentation.Shape($0, of: Size2D(640, 640), stride: 32) }
    #expect(shapes.map(\.scaled) == [Size2D(640, 640), Size2D(531, 531), Size2D(428, 428)])
    #expect(shapes.map(\.padded) == [Size2D(640, 640), Size2D(544, 544), Size2D(448, 448)])
    let boxes = try #require(try yolo().boxes)
    let rows = shapes.enumerated().map { TestTimeAugmentation.rows(ofPass: $0, size: $1.padded, boxes) }
    #expect(rows == [0..<24000, 0..<18207, 9408..<12348])
  }

  private func yolo() throws -> Graph {
    try Model("levels", input: .image(3, 640, 640), classes: 1) { image, classes in
      let half = { (x: Tensor) in Conv(4, kernel: 3, stride: 2)(x) }
      let fine = half(half(half(image)))
      return Detect(classes: classes, anchors: .yolov5)(fine, half(fine), half(half(fine)))
    }.graph()
  }

  @Test func boxesAreScaledAndMirroredBack() {
    let rows: [Float] = [9, 9, 9, 9, 9, 9, 83, 41.5, 16.6, 8.3, 0.5, 0.9]
    var merged: [Float] = [1, 2, 3, 4, 5, 6]
    rows.withUnsafeBufferPointer {
      TestTimeAugmentation.append(
        $0[6..<12], length: 6, TestTimeAugmentation.Pass(scale: 0.83, isMirrored: true), width: 640, to: &merged)
    }
    let expected: [Float] = [1, 2, 3, 4, 5, 6, 540, 50, 20, 10, 0.5, 0.9]
    #expect(zip(merged, expected).allSatisfy { abs($0 - $1) < 1e-3 } && merged.count == 12)
  }

  @Test func planesAreMirroredScaledAndPadded() {
    let source: [Float] = [0, 1, 2, 3, 10, 11, 12, 13]
    func scaled(mirrored: Bool) -> [Float] {
      var target = [Float](repeating: -1, count: 6)
      scalePlanes(
        source, count: 1, height: 2, width: 4, isMirrored: mirrored, into: &target, scaledHeight: 1, scaledWidth: 2,
        paddedHeight: 2, paddedWidth: 3, pad: 0.447)
      return target
    }
    #expect(scaled(mirrored: false) == [5.5, 7.5, 0.447, 0.447, 0.447, 0.447])
    #expect(scaled(mirrored: true) == [7.5, 5.5, 0.447, 0.447, 0.447, 0.447])
  }

  // MARK: - parts

  @Test func letterboxedPlanesEqualThoseOfTheLetterboxedImage() {
    for (image, size) in zip(Self.images, [Size2D(64, 96), Size2D(96, 64), Size2D(70, 90)]) {
      let (boxed, fit) = letterbox(image, height: size.height, width: size.width)
      var planes = [Float](repeating: -1, count: 3 * size.area)
      letterbox(image, fit, into: &planes)
      #expect(planes == planar([boxed]))
    }
  }

  @Test func cropsHoldThePixelsThatABoxTouches() throws {
    let image = Self.images[0]
    let crop = try #require(image.cropped(to: SIMD4(3.2, 4, 5.5, 6.9)))
    #expect(crop.width == 3 && crop.height == 3)
    #expect(Array(crop.pixels.prefix(9)) == Array(image.pixels[(4 * image.width + 3) * 3..<(4 * image.width + 6) * 3]))
    #expect(image.cropped(to: SIMD4(-10, -10, 1000, 1000)) == image)
    #expect(image.cropped(to: SIMD4(5, 5, 5, 9)) == nil && image.cropped(to: SIMD4(.nan, 0, 9, 9)) == nil)
  }

  @Test func finiteNumbers() {
    let numbers: [Float] = [0, -0, 1, -.greatestFiniteMagnitude, .leastNonzeroMagnitude]
    #expect(numbers.withUnsafeBufferPointer { allFinite($0) })
    for other in [Float.nan, -.nan, .infinity, -.infinity] {
      #expect(!(numbers + [other]).withUnsafeBufferPointer { allFinite($0) })
    }
  }

  @Test func anOrderedMapKeepsOrderAndDepth() throws {
    struct Stop: Error {}
    // `next` is called by one thread at a time, which a data race here would show.
    nonisolated(unsafe) var next = 0
    let highest = Mutex(0)
    let map = OrderedMap<Int, Int>(
      depth: 3,
      next: {
        next += 1
        highest.withLock { $0 = max($0, next) }
        return next <= 50 ? next : nil
      },
      transforms: (0..<4).map { _ in
        { item in
          if item % 7 == 0 { usleep(2000) }
          return item * item
        }
      })
    usleep(20_000)
    #expect(highest.withLock { $0 } <= 3)
    for item in 1...50 { #expect(try map.next() == item * item) }
    #expect(try map.next() == nil)
    map.cancel()

    nonisolated(unsafe) var count = 0
    let failing = OrderedMap<Int, Int>(
      depth: 4,
      next: {
        count += 1
        if count == 5 { throw Stop() }
        return count
      }, transforms: [{ $0 }, { $0 }])
    for item in 1...4 { #expect(try failing.next() == item) }
    #expect(throws: Stop.self) { try failing.next() }
    failing.cancel()
  }
}
