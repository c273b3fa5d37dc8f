import Testing

@testable import SPDVision

/// A JPEG that lacks only its end marker is read.
struct EndMarkerTests {
  @Test(arguments: ["jpeg 4:2:0", "jpeg progressive", "jpeg CMYK", "jpeg restart"])
  func onlyTheMarkerIsMissing(_ name: String) throws {
    let bytes = try RecordedFile.named(name)
    for cut in [1, 2] {
      var warnings: [ImageWarning] = []
      let image = try Image.decode(Array(bytes.dropLast(cut)), path: "p") { warnings.append($0) }
      #expect(image == (try Image.decode(bytes, path: "p")))
      #expect(warnings.map(\.description) == ["p: the JPEG has no end marker; all pixels are present"])
    }
  }

  /// A decoder would accept a file that is truncated between two scans, with less detail.
  @Test func missingScansAreNoticed() throws {
    let bytes = try RecordedFile.named("jpeg progressive")
    let scans = bytes.indices.dropLast().filter { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA }
    #expect(scans.count > 2)
    #expect(hasAllScans(jpeg: bytes))
    for start in scans {
      let error = expectError { _ = try Image.decode(Array(bytes[..<start]), path: "p") }
      #expect(error?.what.hasPrefix("the JPEG is damaged or cut off") == true)
      #expect(!hasAllScans(jpeg: Array(bytes[..<start])))
    }
  }

  @Test func malformedHeadersAreNotComplete() throws {
    let bytes = try RecordedFile.named("jpeg 4:2:0")
    for count in 0..<200 { #expect(!hasAllScans(jpeg: Array(bytes.prefix(count)))) }
    for index in 2..<min(bytes.count, 700) {
      for value in [0, 1, 0x7F, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = value
        _ = hasAllScans(jpeg: changed)
      }
    }
  }
}
