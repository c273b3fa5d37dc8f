import Foundation
import Testing

@testable import SPDVision

@Suite struct DecodeTests {
  @Test func everyKindOfFileEqualsOpenCV() throws {
    for recorded in try fixture("decode", of: RecordedFile.self) {
      let picture = try Picture.decode(Array(recorded.file), path: recorded.name)
      #expect(picture.width == recorded.width && picture.height == recorded.height, "\(recorded.name)")
      #expect(picture.pixels == Array(recorded.pixels), "\(recorded.name)")
    }
  }

  @Test(arguments: 1...8) func orientationMovesTheCorner(orientation: Int) {
    // 3×2 with the stored top left pixel white: where it must be seen, by the Exif standard.
    var picture = Picture(width: 3, height: 2, filledWith: RGB(0, 0, 0))
    picture.pixels.replaceSubrange(0..<3, with: [255, 255, 255])
    let turned = picture.oriented(by: orientation)
    let corner = turned.pixels.firstIndex(of: 255)! / 3
    let expected = [(0, 0), (2, 0), (2, 1), (0, 1), (0, 0), (1, 0), (1, 2), (0, 2)][orientation - 1]
    #expect(turned.width == (orientation >= 5 ? 2 : 3))
    #expect((corner % turned.width, corner / turned.width) == expected)
  }

  @Test func malformedExifCountsAsUpright() throws {
    let block: [UInt8] = Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
    #expect(exifOrientation(ofTIFF: block[...]) == 6)
    for count in 0..<18 { #expect(exifOrientation(ofTIFF: block.prefix(count)) == 1) }
    for position in block.indices where position != 19 && position != 18 {
      for value in [UInt8(0), 1, 127, 255] {
        var changed = block
        changed[position] = value
        #expect((1...8).contains(exifOrientation(ofTIFF: changed[...])))
      }
    }
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8, 0xFF, 0xE1, 0xFF, 0xFF]) == 1)
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8, 0xFF, 0xFF, 0xFF]) == 1)
  }

  @Test func everyTruncationIsAnError() throws {
    let names = ["jpeg 4:2:0", "jpeg progressive", "jpeg CMYK", "jpeg restart", "png rgba 16", "png interlaced"]
    for name in names {
      let bytes = try RecordedFile.named(name)
      for count in 0..<bytes.count {
        let error = expectError { _ = try Picture.decode(Array(bytes.prefix(count)), path: "p") }
        #expect(error != nil, "\(name) cut to \(count) of \(bytes.count)")
      }
    }
  }

  @Test func flippedBytesNeverCrash() throws {
    for (index, recorded) in try fixture("decode", of: RecordedFile.self).enumerated() {
      let bytes = Array(recorded.file)
      let random = uniform(1200, seed: UInt32(index))
      var outcomes = (pictures: 0, errors: 0)
      for trial in 0..<400 {
        var changed = bytes
        for n in 0...(trial % 3) {
          let number = Int(random[trial * 3 + n])
          changed[number % changed.count] ^= UInt8(1 << (number >> 20 & 7))
        }
        do {
          let picture = try Picture.decode(changed, path: "p", pixelLimit: 1 << 20)
          outcomes.pictures += picture.isValid ? 1 : 0
        } catch {
          outcomes.errors += 1
        }
      }
      #expect(outcomes.pictures + outcomes.errors == 400)
      #expect(outcomes.errors > 0)
    }
  }

  @Test func strayBytesAtTheEndAreHarmless() throws {
    let bytes = try RecordedFile.named("jpeg 4:2:0")
    let picture = try Picture.decode(bytes, path: "p")
    let before = bytes.dropLast(2) + [0x12, 0x34] + bytes.suffix(2)
    #expect(try Picture.decode(Array(before), path: "p") == picture)
    #expect(try Picture.decode(bytes + [1, 2, 3], path: "p") == picture)
    let png = try RecordedFile.named("png rgb 8")
    #expect(try Picture.decode(png + [1, 2, 3], path: "p") == Picture.decode(png, path: "p"))
  }
}
