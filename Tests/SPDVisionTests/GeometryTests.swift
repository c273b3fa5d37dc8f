import Foundation
import Testing

@testable import SPDVision

@Suite struct GeometryTests {
  private struct RecordedResize: Decodable {
    var width, height, newWidth, newHeight: Int
    var seed: UInt32
    var pixels: Data
  }

  private struct RecordedLetterbox: Decodable {
    var width, height, targetHeight, targetWidth, stride, newWidth, newHeight: Int
    var auto, scaleUp: Bool
    var seed: UInt32
    var padX, padY: Double
    var pixels: Data
  }

  @Test func resizeEqualsOpenCV() throws {
    for recorded in try fixture("resize", of: RecordedResize.self) {
      let image = noise(recorded.width, recorded.height, seed: recorded.seed)
      let resized = resizeBilinear(image, width: recorded.newWidth, height: recorded.newHeight)
      #expect(resized.pixels == Array(recorded.pixels), "\(recorded.width)×\(recorded.height) seed \(recorded.seed)")
    }
  }

  @Test func resizeToItsOwnSizeIsTheSame() {
    let image = noise(6, 5, seed: 3)
    #expect(resizeBilinear(image, width: 6, height: 5) == image)
  }

  @Test func letterboxEqualsOpenCV() throws {
    for recorded in try fixture("letterbox", of: RecordedLetterbox.self) {
      let image = noise(recorded.width, recorded.height, seed: recorded.seed)
      let (boxed, fit) = letterbox(
        image, height: recorded.targetHeight, width: recorded.targetWidth, auto: recorded.auto,
        stride: recorded.stride, scaleUp: recorded.scaleUp)
      #expect(boxed.width == recorded.newWidth && boxed.height == recorded.newHeight)
      #expect(boxed.pixels == Array(recorded.pixels), "seed \(recorded.seed)")
      #expect(fit.halfPadX == recorded.padX && fit.halfPadY == recorded.padY)
      #expect(fit.width == boxed.width && fit.height == boxed.height)
    }
  }

  /// Height, width → what the reference gives for 640: the shape with `auto` and its vertical pad, and the pad without.
  @Test(arguments: [
    (480, 640, 480, 0.0, 80.0), (427, 640, 448, 10.5, 106.5), (375, 500, 480, 0, 80), (333, 500, 448, 11, 107),
    (1080, 1920, 384, 12, 140),
  ])
  func letterboxTable(height: Int, width: Int, autoHeight: Int, autoPad: Double, squarePad: Double) {
    #expect(letterboxShape(imageHeight: height, imageWidth: width, height: 640, width: 640) == (autoHeight, 640))
    let auto = Letterbox(imageWidth: width, imageHeight: height, height: 640, width: 640, auto: true)
    #expect(auto.halfPadX == 0 && auto.halfPadY == autoPad && auto.top == Int(autoPad))
    let square = Letterbox(imageWidth: width, imageHeight: height, height: 640, width: 640)
    #expect(square.width == 640 && square.height == 640 && square.halfPadX == 0 && square.halfPadY == squarePad)
    if width == 500 { #expect(auto.ratio == 1.28) }
  }

  @Test func aThreadThinImageKeepsOnePixel() {
    let (boxed, fit) = letterbox(Image(width: 3000, height: 1, filledWith: RGB(1, 2, 3)), height: 32, width: 32)
    #expect(fit.contentHeight == 1 && boxed.width == 32 && boxed.height == 32)
    #expect(boxed.pixels[(15 * 32) * 3] == 1 && boxed.pixels[(14 * 32) * 3] == 114)
  }

  @Test func boxesGoBackToTheImage() {
    // 100×50 into 64×64: ratio 0.64, pads 0 and 16.
    let fit = Letterbox(imageWidth: 100, imageHeight: 50, height: 64, width: 64)
    let detections = [
      Detection(classIndex: 1, score: 0.5, box: [6.4, 22.4, 32, 48]),
      Detection(classIndex: 2, score: 0.4, box: [-3, 2, 70, 63]),
    ]
    let scaled = scaleBoxes(detections, from: fit)
    #expect(scaled[0].classIndex == 1 && scaled[0].score == 0.5)
    for (value, expected) in zip([0, 1, 2, 3].map { scaled[0].box[$0] }, [Float(10), 10, 50, 50]) {
      #expect(abs(value - expected) < 1e-4)
    }
    #expect(scaled[1].box == [0, 0, 100, 50])
  }

  @Test func theGainComesFromTheSizes() {
    // 1000×601 to 640: 384.64 rounds to 385, `auto` leaves 385 + 255 % 32 = 416; the ratio holds.
    let plain = Letterbox(imageWidth: 1000, imageHeight: 601, height: 640, width: 640, auto: true)
    #expect(plain.gain == 0.64 && plain.height == 416)
    // 769 * 640 / 1281 = 384.2 rounds down to 384, and nothing is padded: 384 / 769 is less than the ratio.
    let cut = Letterbox(imageWidth: 1281, imageHeight: 769, height: 640, width: 640, auto: true)
    #expect(cut.height == 384 && cut.gain == 384.0 / 769 && cut.gain < cut.ratio)
    // Not scaled up: the reference's formula alone would give 6.4.
    let small = Letterbox(imageWidth: 100, imageHeight: 50, height: 640, width: 640, scaleUp: false)
    #expect(small.gain == 1 && small.coordinatePadX == 270 && small.coordinatePadY == 295)
  }
}
