import Foundation
import Testing

@testable import SPDFormats

/// Every message about zip archives, most by damage to one field of a sound archive.
struct ZipErrorTests {
  /// One stored entry `a.npy`: local header at 0, data at 35.
  static let array = npyFile("{'descr':'<f4','fortran_order':False,'shape':(2,)}", data: 8)
  static let sound = zipArchive([("a.npy", array)])
  static let directory = 35 + array.count
  static let end = sound.count - 22

  private func expectError(
    _ wanted: String, _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let text = message { _ = try parseNPZ(ZipArchive(bytes, path: "x")) } ?? "no error"
    #expect(text.hasPrefix("x: ") && text.contains(wanted), "\(text)", sourceLocation: sourceLocation)
  }

  private func patched(_ place: Int, _ bytes: [UInt8]) -> [UInt8] {
    var file = Self.sound
    file.replaceSubrange(place..<place + bytes.count, with: bytes)
    return file
  }

  @Test func soundArchiveIsRead() throws {
    #expect(try parseNPZ(ZipArchive(Self.sound, path: "x"))[0].tensor.shape == [2])
    // A comment after the directory is allowed.
    let commented = Array(patched(Self.end + 20, [3, 0])) + Array("abc".utf8)
    #expect(try parseNPZ(ZipArchive(commented, path: "x")).count == 1)
  }

  @Test func directoryErrors() {
    let (directory, end) = (Self.directory, Self.end)
    expectError("has no zip directory: it is cut off", Array(Self.sound.dropLast()))
    expectError("the zip directory does not fit into the file", patched(end + 8, [200, 0, 200, 0]))
    expectError("the zip directory would start at byte", patched(end + 16, [0, 0, 0, 1]))
    expectError("is one part of a multi-part zip archive", patched(end + 4, [1]))
    expectError("the zip directory is damaged", patched(directory, [0]))
    expectError("zip entry \"a.npy\" is encrypted", patched(directory + 8, [1]))
    expectError("zip entry \"a.npy\" reaches beyond the file", patched(directory + 20, [0, 0, 1]))
    expectError("there is no zip entry here", patched(0, [0]))
    expectError("would start at byte", patched(directory + 42, [0, 0, 1, 1]))
    expectError("name different files", patched(30, [0x62]))
    expectError("the zip archive holds \"a.npy\" twice", zipArchive([("a.npy", []), ("a.npy", [])]))

    // Two directory entries that point to one local header.
    let two = zipArchive([("a", [1, 2, 3]), ("a", [1, 2, 3])])
    let secondOffset = two.count - 22 - 47 + 42
    var overlapping = two
    overlapping.replaceSubrange(secondOffset..<secondOffset + 4, with: [0, 0, 0, 0])
    expectError("entries of the zip archive overlap", overlapping)

    var wide = zipArchive([("a.npy", Self.array)], wideFrom: 1)
    let wideEnd = wide.count - 22 - 20 - 56
    wide[wideEnd] = 0
    expectError("the zip64 end record is missing", wide)
  }

  @Test func entryErrors() {
    let directory = Self.directory
    expectError("a stored zip entry declares two sizes", patched(directory + 24, [1]))
    expectError("is compressed by zip method 12", patched(directory + 10, [12]))
    expectError("the data does not match its CRC-32", patched(Self.directory - 1, [7]))
    expectError(
      "which deflate cannot give",
      patched(directory + 10, [8, 0] + Array(Self.sound[directory + 12..<directory + 24]) + [0, 0, 0, 100]))
    expectError("the deflated data is damaged", patched(directory + 10, [8]))
    expectError("is not a .npz archive: it holds \"b\"", zipArchive([("b", [])]))
  }

  /// An entry of zeros that inflates to more than the archive may.
  @Test func inflationIsBounded() throws {
    let packed = [UInt8](repeating: 0, count: 300_000)
    var bytes = zipArchive([("a.npy", packed)])
    let directory = 35 + packed.count
    bytes[directory + 10] = 8
    bytes.replaceSubrange(directory + 24..<directory + 28, with: [0, 0, 0, 17])  // 272 MiB
    expectError("would inflate to more than 268435456 bytes", bytes)
  }

  /// Deflated data that is longer or shorter than declared.
  @Test func inflateWantsTheDeclaredSize() {
    let hello: [UInt8] = [0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
    #expect(Zlib.inflate(hello[...], size: 5) == Array("hello".utf8))
    #expect(Zlib.inflate(hello[...], size: 4) == nil)
    #expect(Zlib.inflate(hello[...], size: 6) == nil)
    #expect(Zlib.inflate(hello[..<4], size: 5) == nil)
    #expect(Zlib.inflate([], size: 0) == nil)
    #expect(Zlib.inflate([3, 0], size: 0) == [])
  }
}
