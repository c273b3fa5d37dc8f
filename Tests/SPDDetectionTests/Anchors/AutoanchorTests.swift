import Foundation
import SPD
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct AutoanchorTests {
  /// Images of 640×480 with objects of given sizes in pixels.
  private struct Sizes: DetectionDataset {
    var name = "sizes"
    var classNames = ["object"]
    var sizes: [[SIMD2<Float>]]
    var count: Int { sizes.count }

    func labels(_ index: Int) -> LabelledImage {
      LabelledImage(
        path: "\(index)", width: 640, height: 480,
        objects: sizes[index].map {
          LabelledObject(classIndex: 0, box: SIMD4(0.5, 0.5, $0.x / 640, $0.y / 480))
        })
    }

    func image(_ index: Int) throws(DataError) -> Image { Image(width: 640, height: 480, filledWith: RGB(0, 0, 0)) }
  }

  private static let yolov5: [[SIMD2<Float>]] = [
    [SIMD2(10, 13), SIMD2(16, 30), SIMD2(33, 23)], [SIMD2(30, 61), SIMD2(62, 45), SIMD2(59, 119)],
    [SIMD2(116, 90), SIMD2(156, 198), SIMD2(373, 326)],
  ]

  /// The sizes of Tests/Peers/augmentation.py: three groups of log-normal sizes.
  private static func recordedSizes() throws -> (sizes: [SIMD2<Float>], case: Case) {
    let example: Case = try recordedCase("anchors")
    return (example.sizes.map { SIMD2($0[0], $0[1]) }, example)
  }

  private struct Case: Decodable {
    var sizes, anchors: [[Float]]
    var recall, perObject, fitness, kMeansFitness, evolvedFitness: Double
  }

  @Test func fitnessIsTheReferences() throws {
    let (sizes, example) = try Self.recordedSizes()
    let fitness = AnchorFitness(
      anchors: example.anchors.map { SIMD2($0[0], $0[1]) }, sizes: sizes, threshold: 4)
    #expect(abs(fitness.bestPossibleRecall - example.recall) < 1e-9)
    #expect(abs(fitness.anchorsPerObject - example.perObject) < 1e-9)
    #expect(abs(fitness.fitness - example.fitness) < 1e-6)
    let none = AnchorFitness(anchors: Self.yolov5.flatMap { $0 }, sizes: [], threshold: 4)
    #expect(none.bestPossibleRecall == 0 && none.fitness == 0)
  }

  @Test func theSearchIsAsGoodAsScipys() throws {
    let (sizes, example) = try Self.recordedSizes()
    var random = SplitMix64(seed: 4)
    let centres = try #require(AnchorKMeans.centres(of: sizes, count: 9, restarts: 30, random: &random))
    let kMeans = AnchorFitness(anchors: centres, sizes: sizes, threshold: 4).fitness
    #expect(abs(kMeans - example.kMeansFitness) < 0.02)
    let evolved = AnchorEvolution.evolve(centres, sizes: sizes, threshold: 4, generations: 1000, random: &random)
    let fitness = AnchorFitness(anchors: evolved, sizes: sizes, threshold: 4).fitness
    #expect(fitness > kMeans && fitness > example.evolvedFitness - 0.01)
  }

  @Test func anchorsThatFitAreKept() {
    let data = Sizes(sizes: Self.yolov5.map { $0 })
    let result = Autoanchor(anchors: Self.yolov5, strides: [8, 16, 32], dataset: data, imageSize: 640)
    #expect(result.given.bestPossibleRecall == 1 && result.found == nil && !result.isReplaced)
    #expect(result.anchors == Self.yolov5 && result.objects == 9)
  }

  @Test func anchorsThatDoNotFitAreReplaced() throws {
    let (sizes, _) = try Self.recordedSizes()
    let data = Sizes(sizes: sizes.map { [$0 / 12] })
    func run(_ seed: UInt64) -> Autoanchor {
      Autoanchor(
        anchors: Self.yolov5, strides: [8, 16, 32], dataset: data, imageSize: 640, seed: seed, generations: 100)
    }
    let result = run(1)
    let found = try #require(result.found)
    #expect(result.given.bestPossibleRecall < 0.98 && found.bestPossibleRecall > result.given.bestPossibleRecall)
    #expect(result.isReplaced && result.anchors.map(\.count) == [3, 3, 3])
    let areas = result.anchors.flatMap { $0 }.map { $0.x * $0.y }
    #expect(areas == areas.sorted())
    #expect(run(1) == result)
    #expect(run(2).anchors != result.anchors)
  }

  @Test func levelsFollowTheStrides() {
    let reversed = Array(Self.yolov5.reversed())
    #expect(Autoanchor.ordered(reversed, strides: [8, 16, 32]) == Self.yolov5)
    #expect(Autoanchor.ordered(Self.yolov5, strides: [32, 16, 8]) == reversed)
    #expect(Autoanchor.ordered(Self.yolov5, strides: [8, 16, 32]) == Self.yolov5)
  }

  /// As of markers or cells: k-means has no nine clusters of them.
  @Test func objectsOfOneSizeGetAnchors() throws {
    let data = Sizes(sizes: (0..<5).map { _ in [SIMD2(2.3, 2.3), SIMD2(2.3, 2.3)] })
    let result = Autoanchor(anchors: Self.yolov5, strides: [8, 16, 32], dataset: data, imageSize: 640)
    #expect(result.given.bestPossibleRecall == 0 && result.isReplaced)
    #expect(result.found?.bestPossibleRecall == 1)
  }

  @Test func tooFewOrStrangeSizesKeepTheAnchors() {
    for sizes: [[SIMD2<Float>]] in [
      [], [[]], [[SIMD2(700, 1)]], [[SIMD2(.nan, 4), SIMD2(-3, 4), SIMD2(.infinity, 1), SIMD2(0, 0)]],
      [[SIMD2<Float>](repeating: SIMD2(1, 1), count: 40)], [[SIMD2<Float>](repeating: SIMD2(500, 5), count: 40)],
    ] {
      let result = Autoanchor(
        anchors: Self.yolov5, strides: [8, 16, 32], dataset: Sizes(sizes: sizes), imageSize: 640, generations: 5)
      #expect(result.anchors.flatMap { $0 }.allSatisfy { $0.x >= 2 && $0.y >= 2 })
    }
  }
}
