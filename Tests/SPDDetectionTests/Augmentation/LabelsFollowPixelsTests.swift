import SPD
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

/// Draws rectangles, augments, and compares labels with the pixels of their colour.
@Suite struct LabelsFollowPixelsTests {
  /// The hull of the pixels whose channel `classIndex` is at least half way to the rectangle's colour. Edges are
  /// interpolated, so it is good to a pixel.
  private static func extent(_ image: Image, classIndex: Int, within box: SIMD4<Double>) -> SIMD4<Double>? {
    var hull: SIMD4<Double>?
    for y in max(Int(box.y) - 3, 0)..<min(Int(box.w) + 4, image.height) {
      for x in max(Int(box.x) - 3, 0)..<min(Int(box.z) + 4, image.width) {
        let pixel = image.pixels[(y * image.width + x) * 3..<(y * image.width + x) * 3 + 3].map(Int.init)
        let others = (pixel.reduce(0, +) - pixel[classIndex]) / 2
        guard pixel[classIndex] - others > 105 else { continue }
        let cell = SIMD4(Double(x), Double(y), Double(x + 1), Double(y + 1))
        let known = hull ?? cell
        hull = SIMD4(
          lowHalf: pointwiseMin(known.lowHalf, cell.lowHalf), highHalf: pointwiseMax(known.highHalf, cell.highHalf))
      }
    }
    return hull
  }

  private static func check(
    _ parameters: DetectionHyperparameters, seed: UInt64, hasMosaic: Bool
  ) throws -> (objects: Int, worst: Double) {
    let data = ColouredRectangles(count: 12)
    let size = 160
    let images = try ImageCache(data, imageSize: size)
    var (objects, worst) = (0, 0.0)
    for index in 0..<data.count {
      var random = SplitMix64(seed: seed &* 100 &+ UInt64(index))
      var plan = AugmentationPlan(
        index: index, width: size, height: size, parameters: parameters, sampler: .uniform(count: data.count),
        random: &random)
      // Tiles of the three classes only once, so that no other object has the colour.
      if hasMosaic { plan.base.mosaic?.images = [index, (index + 1) % 12, (index + 2) % 12, 99] }
      plan.base.index = index
      let made = try plan.sample(width: size, height: size) { index throws(DataError) in
        index == 99 ? nil : (image: try images.image(index).image, labels: data.labels(index))
      }
      let sample = try #require(made)
      for object in sample.objects {
        let box = object.box
        #expect(box.x >= 0 && box.y >= 0 && box.z <= Double(size) && box.w <= Double(size))
        #expect(object.width > 2 && object.height > 2)
        let extent = try #require(Self.extent(sample.image, classIndex: object.classIndex, within: box))
        let offset = extent - box
        worst = max(worst, (0..<4).map { abs(offset[$0]) }.max()!)
        objects += 1
      }
    }
    return (objects, worst)
  }

  @Test func labelsFollowAMosaicInPerspectiveThatIsFlipped() throws {
    var parameters = DetectionHyperparameters.scratch
    (parameters.hsvH, parameters.hsvS, parameters.hsvV) = (0, 0, 0)
    parameters.flipud = 0.5
    parameters.perspective = 0.0002
    var total = 0
    for seed in 0..<4 as Range<UInt64> {
      let (objects, worst) = try Self.check(parameters, seed: seed, hasMosaic: true)
      #expect(worst < 1.5, "seed \(seed)")
      total += objects
    }
    #expect(total > 60)
  }

  @Test func labelsFollowAPerspective() throws {
    var parameters = DetectionHyperparameters.scratch
    (parameters.hsvH, parameters.hsvS, parameters.hsvV) = (0, 0, 0)
    parameters.flipud = 0.5
    parameters.mosaic = 0
    parameters.perspective = 0.0008
    parameters.scale = 0.2
    // Without rotation the hull of the corners is the hull of the pixels, up to the corner's own slope.
    let (objects, worst) = try Self.check(parameters, seed: 1, hasMosaic: false)
    #expect(objects == 12 && worst < 1.5)
  }

  @Test func labelsFollowARotationAsLongAsTheyAreWhole() throws {
    var parameters = DetectionHyperparameters.scratch
    (parameters.hsvH, parameters.hsvS, parameters.hsvV) = (0, 0, 0)
    (parameters.mosaic, parameters.degrees, parameters.translate, parameters.scale) = (0, 20, 0, 0)
    let (objects, worst) = try Self.check(parameters, seed: 5, hasMosaic: false)
    #expect(objects == 12 && worst < 2)
  }

  @Test func normalisedBoxesStayInside() {
    let object = PixelObject(classIndex: 0, box: SIMD4(-5, 3, 70, 64))
    let box = object.normalised(width: 64, height: 64)
    #expect(box.x - box.z / 2 >= 0 && box.x + box.z / 2 < 1 && box.y + box.w / 2 < 1)
  }

  @Test func cutMixTrimsWhatThePatchCovers() {
    let box = SIMD4<Double>(10, 10, 30, 30)
    #expect(CutMixPlan.visible(part: box, outside: SIMD4(20, 0, 64, 64)) == SIMD4(10, 10, 20, 30))
    #expect(CutMixPlan.visible(part: box, outside: SIMD4(0, 0, 64, 15)) == SIMD4(10, 15, 30, 30))
    #expect(CutMixPlan.visible(part: box, outside: SIMD4(15, 15, 20, 20)) == box)
    let whole = CutMixPlan.visible(part: box, outside: SIMD4(0, 0, 64, 64))
    #expect(whole.z == whole.x)
  }

  @Test func betaIsCentred() {
    var random = SplitMix64(seed: 3)
    let values = (0..<4000).map { _ in random.beta(32) }
    let mean = values.reduce(0, +) / 4000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
    #expect(abs(mean - 0.5) < 0.005 && abs(variance - 0.25 / 65) < 0.0004)
  }

  @Test func noNumberCrashesTheGeometry() {
    let image = checkeredImage(20, 20, seed: 1)
    for value in [Double.nan, .infinity, -1e300, 1e300, 0] {
      let object = PixelObject(
        classIndex: 0, box: SIMD4(value, 1, 2, value), polygon: [SIMD2(value, 1), SIMD2(3, value), SIMD2(5, 6)])
      let sample = AugmentedSample(image: image, objects: [object])
      _ = PerspectivePlan().apply(to: sample, width: 16, height: 16)
      _ = CopyPastePlan(fraction: 1, seed: 1).apply(to: sample)
      _ = warp(image, by: Matrix3([value, 0, 1, 0, value, 2, 0, 0, 1]), width: 8, height: 8)
      _ = warp(image, by: Matrix3([1, 0, value, 0, 1, 2, value, 0, 1]), width: 8, height: 8)
    }
  }
}
