import Foundation
import SPD
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

/// Compares with what OpenCV computed.
@Suite struct OpenCVTests {
  @Test func areasAreAveragedAsOpenCVDoes() throws {
    struct Case: Decodable { var w, h, width, height: Int, pixels: Data }
    for example in try recordedCase("resizeArea", as: [Case].self) {
      let shrunk = resizeArea(
        checkeredImage(example.w, example.h, seed: example.w), width: example.width, height: example.height)
      #expect(difference(shrunk, example.pixels) == 0, "to \(example.width)×\(example.height)")
    }
  }

  @Test func imagesAndObjectsAreWarpedAsOpenCVDoes() throws {
    struct Case: Decodable {
      var plan: RecordedPlan, w, h, width, height, seed: Int
      var matrix: [Double], pixels: Data, objects, expected: [RecordedObject]
    }
    var counts = (kept: 0, all: 0)
    for example in try recordedCase("warps", as: [Case].self) {
      let plan = example.plan.plan
      let matrix = plan.matrix(
        inputWidth: example.w, inputHeight: example.h, width: example.width, height: example.height)
      for (own, theirs) in zip(matrix.elements, example.matrix) { #expect(abs(own - theirs) < 1e-12) }
      // OpenCV's own matrix: the last bit of a cosine may differ between the libraries.
      let image = checkeredImage(example.w, example.h, seed: example.seed)
      let warped = warp(image, by: Matrix3(example.matrix), width: example.width, height: example.height)
      #expect(difference(warped, example.pixels) == 0, "seed \(example.seed)")
      let sample = AugmentedSample(image: image, objects: example.objects.map(\.object))
      let result = plan.apply(to: sample, width: example.width, height: example.height)
      #expect(difference(result.objects, example.expected.map(\.object)) < 1e-9)
      counts.kept += result.objects.count
      counts.all += sample.objects.count
    }
    #expect(counts.kept > 20 && counts.kept < counts.all)
  }

  @Test func polygonsAreFilledAsOpenCVDoes() throws {
    struct Case: Decodable { var width, height: Int, polygon: [[Double]], isInside: Bool, bits: Data }
    for example in try recordedCase("masks", as: [Case].self) {
      var mask = PolygonMask(width: example.width, height: example.height)
      mask.fill(example.polygon.map { SIMD2($0[0], $0[1]) })
      let different = mask.isSet.enumerated().count { position, isSet in
        isSet != (example.bits[position / 8] >> (7 - position % 8) & 1 == 1)
      }
      // Along outlines that leave the image, a pixel may be on the other side.
      #expect(different <= (example.isInside ? 0 : 3 * example.height), "\(example.polygon)")
    }
  }

  @Test func coloursAreConvertedAsOpenCVDoes() throws {
    struct Jitter: Decodable { var w, h, seed: Int, hue, saturation, value: Double, pixels: Data }
    struct Cases: Decodable { var toHSV, toRGB: UInt64, jitters: [Jitter] }
    let cases: Cases = try recordedCase("colours")
    let steps = Array(stride(from: 0, through: 255, by: 5))
    var hsv: [UInt8] = []
    var rgb: [UInt8] = []
    for red in steps {
      for green in steps {
        for blue in steps {
          let colour = HSV.from(Int32(red), Int32(green), Int32(blue), HSV.saturationFactors, HSV.hueFactors)
          hsv += [UInt8(colour.hue), UInt8(colour.saturation), UInt8(colour.value)]
        }
      }
    }
    for hue in 0..<180 {
      for saturation in steps {
        for value in steps {
          let colour = HSV.rgb(
            sextant: HSV.sextants[hue].number, fraction: HSV.sextants[hue].fraction,
            saturation: Float(saturation) * (1 / Float(255)), value: Float(value) * (1 / Float(255)))
          rgb += [colour.0, colour.1, colour.2]
        }
      }
    }
    #expect(weightedChecksum(hsv) == cases.toHSV)
    #expect(weightedChecksum(rgb) == cases.toRGB)
    for example in cases.jitters {
      var image = checkeredImage(example.w, example.h, seed: example.seed)
      HSVJitter(hue: example.hue, saturation: example.saturation, value: example.value).apply(to: &image)
      #expect(difference(image, example.pixels) == 0, "seed \(example.seed)")
    }
  }

  @Test func mixUpTruncatesAsNumpyDoes() throws {
    struct Case: Decodable { var w, h: Int, seeds: [Int], ratio: Double, pixels: Data }
    for example in try recordedCase("mixUps", as: [Case].self) {
      let samples = example.seeds.map {
        AugmentedSample(
          image: checkeredImage(example.w, example.h, seed: $0),
          objects: [PixelObject(classIndex: $0, box: SIMD4(1, 2, 3, 4))])
      }
      let mixed = mixUp(samples[0], samples[1], ratio: example.ratio)
      #expect(difference(mixed.image, example.pixels) == 0)
      #expect(mixed.objects.map(\.classIndex) == example.seeds)
    }
  }

  @Test func instancesArePastedAsOpenCVDoes() throws {
    struct Case: Decodable {
      var w, h, seed: Int, order: [Int], objects, expected: [RecordedObject], pixels: Data
    }
    for example in try recordedCase("copyPastes", as: [Case].self) {
      let sample = AugmentedSample(
        image: checkeredImage(example.w, example.h, seed: example.seed), objects: example.objects.map(\.object))
      let pasted = CopyPastePlan.paste(example.order, of: sample)
      #expect(difference(pasted.image, example.pixels) == 0)
      #expect(pasted.objects == example.expected.map(\.object))
    }
  }

  @Test func aMosaicPlacesItsTilesAsTheReferenceDoes() throws {
    struct Case: Decodable {
      var size, centreX, centreY: Int, sizes: [[Int]], pixels: Data, expected: [RecordedObject]
    }
    let example: Case = try recordedCase("mosaic")
    let plan = MosaicPlan(
      size: example.size, centreX: example.centreX, centreY: example.centreY, images: [0, 1, 2, 3])
    let canvas = plan.canvas(
      example.sizes.enumerated().map { index, size in
        let object = LabelledObject(classIndex: index, box: SIMD4(0.45, 0.5, 0.6, 0.7))
        return (
          checkeredImage(size[0], size[1], seed: 20 + index),
          LabelledImage(path: "\(index)", width: size[0], height: size[1], objects: [object])
        )
      })
    #expect(difference(canvas.image, example.pixels) == 0)
    #expect(difference(canvas.objects, example.expected.map(\.object)) < 1e-4)
  }

  @Test func samplesAreMadeAsOpenCVAndNumPyDo() throws {
    struct Case: Decodable {
      var plan: RecordedPlan, size, centreX, centreY: Int, sizes: [[Int]], seed: Int
      var hue, saturation, value: Double, flips: Bool, pixels: Data, expected: [RecordedObject]
    }
    for example in try recordedCase("chains", as: [Case].self) {
      var random = SplitMix64(seed: 0)
      var plan = AugmentationPlan(
        index: 0, width: example.size, height: example.size, parameters: .scratch, sampler: .uniform(count: 4),
        random: &random)
      plan.base.mosaic = MosaicPlan(
        size: example.size, centreX: example.centreX, centreY: example.centreY, images: [0, 1, 2, 3])
      plan.base.perspective = example.plan.plan
      plan.jitter = HSVJitter(hue: example.hue, saturation: example.saturation, value: example.value)
      plan.flipsHorizontally = example.flips
      let made = try plan.sample(width: example.size, height: example.size) { index throws(DataError) in
        let (width, height) = (example.sizes[index][0], example.sizes[index][1])
        let image = checkeredImage(width, height, seed: example.seed + index)
        let object = LabelledObject(classIndex: index, box: SIMD4(0.45, 0.5, 0.6, 0.7))
        return (
          resizedForTraining(image, size: example.size, augments: true),
          LabelledImage(path: "\(index)", width: width, height: height, objects: [object])
        )
      }
      let sample = try #require(made)
      #expect(difference(sample.image, example.pixels) == 0, "seed \(example.seed)")
      #expect(difference(sample.objects, example.expected.map(\.object)) < 1e-4)
      #expect(!sample.objects.isEmpty)
    }
  }
}
