import Foundation
import Testing

@testable import SPDVision

@Suite struct DecodeTests {
  @Test func everyKindOfFileEqualsOpenCV() throws {
    for recorded in try fixture("decode", of: RecordedFile.self) {
      let image = try Image.decode(Array(recorded.file), path: recorded.name)
      #expect(image.width == recorded.width && image.height == recorded.height, "\(recorded.name)")
      #expect(image.pixels == Array(recorded.pixels), "\(recorded.name)")
    }
  }

  @Test(arguments: 1...8) func orientationMovesTheCorner(orientation: Int) {
    // 3×2 with the stored top left pixel white: where it must be seen, by the Exif standard.
    var image = Image(width: 3, height: 2, filledWith: RGB(0, 0, 0))
    image.pixels.replaceSubrange(0..<3, with: [255, 255, 255])
    let turned = image.oriented(by: orientation)
    let corner = turned.pixels.firstIndex(of: 255)! / 3
    let expected = [(0, 0), (2, 0), (2, 1), (0, 1), (0, 0), (1, 0), (1, 2), (0, 2)][orientation - 1]
    #expect(turned.width == (orientation >= 5 ? 2 : 3))
    #expect((corner % turned.width, corner / turned.width) == expected)
  }

  @Test func malformedExifCountsAsUpright() throws {
    let block: [UInt8] = Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
    #expect(exifOrientation(ofTIFF: block[...]) == 6)
    for count in 0..<18 { #expect(exifOrientation(ofTIFF: block.prefix(count)) ?? 1 == 1) }
    for position in block.indices where position != 19 && position != 18 {
      for value in [UInt8(0), 1, 127, 255] {
        var changed = block
        changed[position] = value
        #expect((1...8).contains(exifOrientation(ofTIFF: changed[...]) ?? 1))
      }
    }
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xFF]) == 1)
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8, 0xFF, 0xFF, 0xFF]) == 1)
  }

  /// Truncated files are an error unless every pixel is present: then there is a warning.
  @Test func everyTruncationIsNoticed() throws {
    let names = ["jpeg 4:2:0", "jpeg progressive", "jpeg CMYK", "jpeg restart", "png rgba 16", "png interlaced"]
    for name in names {
      let bytes = try RecordedFile.named(name)
      let whole = try Image.decode(bytes, path: "p")
      for count in 0..<bytes.count {
        var warnings: [ImageWarning] = []
        let image = try? Image.decode(Array(bytes.prefix(count)), path: "p") { warnings.append($0) }
        #expect(
          image == nil || image == whole && warnings.count == 1, "\(name) cut to \(count) of \(bytes.count)")
        if count < bytes.count - 4 || name.hasPrefix("png") { #expect(image == nil, "\(name) cut to \(count)") }
      }
    }
  }

  @Test func flippedBytesNeverCrash() throws {
    for (index, recorded) in try fixture("decode", of: RecordedFile.self).enumerated() {
      let bytes = Array(recorded.file)
      let random = uniform(1200, seed: UInt32(index))
      var outcomes = (images: 0, errors: 0)
      for trial in 0..<400 {
        var changed = bytes
        for n in 0...(trial % 3) {
          let number = Int(random[trial * 3 + n])
          changed[number % changed.count] ^= UInt8(1 << (number >> 20 & 7))
        }
        do {
          let image = try Image.decode(changed, path: "p", pixelLimit: 1 << 20)
          outcomes.images += image.isValid ? 1 : 0
        } catch {
          outcomes.errors += 1
        }
      }
      #expect(outcomes.images + outcomes.errors == 400)
      #expect(outcomes.errors > 0)
    }
  }

  @Test func strayBytesAtTheEndAreHarmless() throws {
    let bytes = try RecordedFile.named("jpeg 4:2:0")
    let image = try Image.decode(bytes, path: "p")
    let before = bytes.dropLast(2) + [0x12, 0x34] + bytes.suffix(2)
    #expect(try Image.decode(Array(before), path: "p") == image)
    #expect(try Image.decode(bytes + [1, 2, 3], path: "p") == image)
    let png = try RecordedFile.named("png rgb 8")
    #expect(try Image.decode(png + [1, 2, 3], path: "p") == Image.decode(png, path: "p"))
  }
}
