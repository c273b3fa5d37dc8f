import SPDVision
import Testing

@testable import SPDData

struct FitTests {
  @Test func sameSizeIsLeftAlone() {
    let image = formulaImage(6, 5, seed: 1)
    for fit in Fit.allCases { #expect(image.fitted(fit, width: 6, height: 5) == image) }
  }

  @Test func cropTakesTheMiddleWithoutDistortion() {
    // A wide image, 12×4 to 4×4: nothing to scale, columns 4 to 7.
    let image = formulaImage(12, 4, seed: 1)
    #expect(image.fitted(.crop, width: 4, height: 4) == image.cropped(left: 4, top: 0, width: 4, height: 4))
    // A tall one, 4×6 to 8×8: scaled to 8×12, rows 2 to 9.
    let tall = formulaImage(4, 6, seed: 2)
    let scaled = resizeBilinear(tall, width: 8, height: 12)
    #expect(tall.fitted(.crop, width: 8, height: 8) == scaled.cropped(left: 0, top: 2, width: 8, height: 8))
  }

  @Test func stretchUsesEveryPart() {
    let image = formulaImage(12, 4, seed: 1)
    #expect(image.fitted(.stretch, width: 5, height: 9) == resizeBilinear(image, width: 5, height: 9))
  }

  @Test func largeImagesAreHalvedFirst() {
    // One white column in eight: bilinear interpolation alone would see all of it or nothing.
    var image = Image(width: 64, height: 64, filledWith: RGB(0, 0, 0))
    for index in 0..<64 * 64 where index % 8 == 0 {
      for channel in 0..<3 { image.pixels[index * 3 + channel] = 255 }
    }
    let small = image.fitted(.stretch, width: 8, height: 8)
    #expect(small.pixels.allSatisfy { (30...34).contains($0) }, "\(small.pixels[..<24])")
  }

  /// Scaled as a whole these would have billions of pixels.
  @Test func veryLongImages() {
    for (width, height) in [(1, 1_000_000), (1_000_000, 1)] {
      var long = Image(width: width, height: height, filledWith: RGB(9, 9, 9))
      let middle = width * height / 2
      for index in (middle - 50)..<(middle + 50) { long.pixels[3 * index] = 200 }
      let result = long.fitted(.crop, width: 64, height: 64)
      #expect(result.width == 64 && result.height == 64)
      #expect(stride(from: 0, to: result.pixels.count, by: 3).allSatisfy { result.pixels[$0] == 200 })
    }
  }

  @Test func anySizeFits() {
    for (width, height) in [(1, 1), (1, 100), (100, 1), (333, 17), (5, 5)] {
      for fit in Fit.allCases {
        let result = formulaImage(width, height, seed: 1).fitted(fit, width: 16, height: 24)
        #expect(result.width == 16 && result.height == 24)
      }
    }
  }

  @Test func wrongSettingsAreRefused() {
    let flat = ImageTransform(height: 0, width: 4)
    #expect(
      message { try flat.validate() }
        == "the image transform: the input is 0×4 pixels; give a positive height and width")
    for (mean, std) in [([0, 0], [1, 1, 1]), ([0, 0, 0], [1, 0, 1]), ([0, 0, .nan], [1, 1, 1])] as [([Float], [Float])]
    {
      let transform = ImageTransform(
        height: 4, width: 4, standardisation: Standardisation(scale: .unit, mean: mean, std: std))
      #expect(message { try transform.validate() }?.contains("mean and std must have three finite values") == true)
    }
  }
}
