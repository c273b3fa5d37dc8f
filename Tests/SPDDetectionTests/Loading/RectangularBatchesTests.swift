import SPDVision
import Testing

@testable import SPDDetection

@Suite struct RectangularBatchesTests {
  @Test func shapesAreTheReferences() throws {
    struct Case: Decodable { var sizes: [[Int]], batch, size, stride: Int, pad: Double, order: [Int], shapes: [[Int]] }
    for example in try recordedCase("rectangles", as: [Case].self) {
      let batches = RectangularBatches(
        sizes: example.sizes.map { ($0[0], $0[1]) }, batchSize: example.batch, imageSize: example.size,
        stride: example.stride, pad: example.pad)
      #expect(batches.order == example.order)
      #expect(batches.shapes.map { [$0.height, $0.width] } == example.shapes)
    }
  }

  @Test(arguments: [(640, 480, 512, 672), (1920, 1080, 384, 672), (427, 640, 672, 448), (500, 500, 672, 672)])
  func shapesOfSingleImagesAreKnown(width: Int, height: Int, expectedHeight: Int, expectedWidth: Int) {
    let batches = RectangularBatches(
      sizes: [(width, height)], batchSize: 8, imageSize: 640, stride: 32, pad: 0.5)
    #expect(batches.shapes == [.init(height: expectedHeight, width: expectedWidth)])
  }

  @Test(arguments: [77, 154, 303, 308, 319, 581, 606, 616, 623, 638])
  func theTruncatedResizeCanLoseAPixel(side: Int) {
    let size = trainingSize(width: side, height: side, size: 640)
    #expect(size == (639, 639))
    #expect(trainingSize(width: 640, height: 480, size: 320) == (320, 240))
  }

  @Test func aHairlineKeepsAPixel() {
    let resized = resizedForTraining(
      Image(width: 3000, height: 1, filledWith: RGB(1, 2, 3)), size: 64, augments: false)
    #expect(resized.width == 64 && resized.height == 1)
  }
}
