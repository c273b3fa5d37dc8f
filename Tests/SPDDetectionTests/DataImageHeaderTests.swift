import Foundation
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct DataImageHeaderTests {
  @Test(
    arguments: (1...8).map { "exif\($0).jpg" } + ["progressive.jpg", "plain.png", "exif-first.png", "exif-last.png"])
  func theSizeIsThatOfTheDecodedImage(name: String) throws {
    let header = try ImageHeader(contentsOf: "\(dataFixtures)/\(name)")
    let image = try Image(contentsOf: "\(dataFixtures)/\(name)")
    #expect(header.width == image.width && header.height == image.height)
    #expect(Set([header.width, header.height]) == [24, 14])
  }

  @Test func rotatedImagesAreUprightInTheScan() throws {
    let sides = try (1...8).map { try ImageHeader(contentsOf: "\(dataFixtures)/exif\($0).jpg").width }
    #expect(sides == [24, 24, 24, 24, 14, 14, 14, 14])
    #expect(try ImageHeader(contentsOf: "\(dataFixtures)/exif-first.png").width == 14)
    #expect(try ImageHeader(contentsOf: "\(dataFixtures)/exif-last.png").width == 14)
  }

  @Test(arguments: ["rgb24.bmp", "top-down.bmp", "rgba32.bmp", "masks32.bmp"]) func aBMPHasThePixelsOfThePNG(
    name: String
  ) throws {
    let image = try Image(contentsOf: "\(dataFixtures)/\(name)")
    #expect(image == (try Image(contentsOf: "\(dataFixtures)/plain.png")))
    #expect(try ImageHeader(contentsOf: "\(dataFixtures)/\(name)").format == .bmp)
  }

  @Test(arguments: ["palette8", "palette4", "palette1"]) func palettesAreLookedUp(name: String) throws {
    let image = try Image(contentsOf: "\(dataFixtures)/\(name).bmp")
    #expect(image == (try Image(contentsOf: "\(dataFixtures)/\(name).png")))
  }

  @Test func aGreyBMPIsExpanded() throws {
    let image = try Image(contentsOf: "\(dataFixtures)/grey8.bmp")
    #expect(image.width == 24 && image.height == 14)
    let isGrey = stride(from: 0, to: image.pixels.count, by: 3).allSatisfy { image.pixels[$0] == image.pixels[$0 + 2] }
    #expect(isGrey)
  }

  @Test func otherFormatsAreNamed() {
    let webp = dataMessage { _ = try ImageHeader(contentsOf: "\(dataFixtures)/image.webp") }
    let tiff = dataMessage { _ = try ImageHeader(contentsOf: "\(dataFixtures)/image.tif") }
    #expect(webp?.contains("is a WebP, not JPEG, PNG or BMP; convert it") == true)
    #expect(tiff?.contains("is a TIFF or DNG") == true)
  }

  @Test func headersCutOrChangedAnywhereNeverCrash() throws {
    let folder = try DataFolder()
    var random = SystemRandomNumberGenerator()
    for name in ["exif6.jpg", "exif-last.png", "exif-first.png", "rgb24.bmp", "progressive.jpg"] {
      let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(dataFixtures)/\(name)")))
      for count in 0..<min(bytes.count, 120) {
        try folder.write("cut", Array(bytes[..<count]))
        _ = try? ImageHeader(contentsOf: folder.path + "/cut")
      }
      for _ in 0..<100 {
        var changed = bytes
        for _ in 0..<4 { changed[.random(in: 0..<min(bytes.count, 300), using: &random)] = .random(in: 0...255) }
        try folder.write("changed", changed)
        if let header = try? ImageHeader(contentsOf: folder.path + "/changed") { #expect(header.width > 0) }
        if name.hasSuffix("bmp") { _ = try? Image(contentsOf: folder.path + "/changed") }
      }
    }
  }
}
