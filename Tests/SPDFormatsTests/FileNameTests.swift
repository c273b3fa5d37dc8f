import Foundation
import Testing

@testable import SPDFormats

/// Names are bytes, and survive the conversion to strings.
struct FileNameTests {
  @Test(arguments: [
    Array("plain.npy".utf8), Array("café 東京 👩‍👩‍👧.png".utf8), [0x63, 0x61, 0x66, 0xe9, 0x2e, 0x6a, 0x70, 0x67], [0xff],
    [0x80, 0xbf, 0xc0, 0xed, 0xa0, 0x80, 0xf5, 0xf4, 0x90, 0x80, 0x80, 0xe2, 0x82],
    // A name with the very characters that stand for bytes.
    Array("\u{10FE80}a\u{10FEFF}\u{10FDFF}\u{10FF00}".utf8),
  ]) func everyNameComesBack(_ bytes: [UInt8]) {
    #expect(FileName.bytes(FileName.string(bytes)) == bytes)
    FileName.withPath(FileName.string(bytes)) {
      #expect(Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) == bytes)
    }
  }

  @Test func everyPairOfBytesComesBack() {
    for pair in 0...UInt16.max {
      let bytes = [UInt8(pair >> 8), UInt8(pair & 255)]
      #expect(FileName.bytes(FileName.string(bytes)) == bytes)
    }
  }

  @Test func filesOfAnyNameAreWrittenReadAndListed() throws {
    let folder = try TemporaryFolder()
    let names: [[UInt8]] = [[0x61, 0xe9], [0xc3, 0xa9], [0x65, 0xcc, 0x81], [0xcc, 0x81, 0x61]]
    for (index, name) in names.enumerated() {
      let path = folder.file(FileName.string(name))
      try writeAtomically(to: path) { try $0.write([UInt8(index)]) }
      #expect(try readWholeFile(path) == [UInt8(index)])
      #expect(PathKind(of: path) == .file)
    }
    #expect(try namesInFolder(folder.path).map(FileName.bytes) == names.sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test func whatIsPrintedIsSafe() {
    let name = FileName.string([0x63, 0xe9, 0x1b, 0x5b, 0x0a, 0x9b])
    #expect(printable(name) == "c\\xe9\\u{1b}[\\u{a}\\x9b")
    #expect(printable("a\u{9b}\u{202e}b\u{2028}é") == "a\\u{9b}\\u{202e}b\\u{2028}é")
    #expect(quoted(name) == "\"c\\xe9\\u{1b}[\\u{a}\\x9b\"")
    #expect(FormatError(path: name, problem: "is \u{7}").description == "c\\xe9\\u{1b}[\\u{a}\\x9b: is \\u{7}")
  }
}
