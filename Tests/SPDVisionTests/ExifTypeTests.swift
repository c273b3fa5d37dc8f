import Testing

@testable import SPDVision

/// The orientation whatever type its entry declares: recorded from OpenCV 5.0, which looks at 16 bits only.
struct ExifTypeTests {
  private enum Order { case little, big }

  private func bytes(_ value: Int, _ size: Int, _ order: Order) -> [UInt8] {
    let little = (0..<size).map { UInt8(value >> (8 * $0) & 255) }
    return order == .little ? little : little.reversed()
  }

  /// A block with one entry for the orientation.
  private func block(_ order: Order, type: Int, count: Int = 1, value: [UInt8], tag: Int = 0x112) -> [UInt8] {
    Array((order == .little ? "II" : "MM").utf8) + bytes(42, 2, order) + bytes(8, 4, order) + bytes(1, 2, order)
      + bytes(tag, 2, order) + bytes(type, 2, order) + bytes(count, 4, order) + value + bytes(0, 4, order)
  }

  @Test(arguments: [0, 1, 3, 4, 6, 7, 8, 9, 13, 99]) func littleEndian(type: Int) {
    #expect(exifOrientation(ofTIFF: block(.little, type: type, value: bytes(6, 4, .little))[...]) == 6)
  }

  @Test(arguments: [(3, 6), (8, 6), (0, 6), (4, 1), (9, 1), (13, 1)]) func bigEndian(type: Int, expected: Int) {
    let isShort = [0, 3, 8].contains(type)
    let value = isShort ? bytes(6, 2, .big) + [0, 0] : bytes(6, 4, .big)
    #expect(exifOrientation(ofTIFF: block(.big, type: type, value: value)[...]) == expected)
  }

  @Test func otherValues() {
    // Text, a count of none, a number out of range.
    #expect(exifOrientation(ofTIFF: block(.little, type: 2, count: 2, value: Array("6\0\0\0".utf8))[...]) == 1)
    #expect(exifOrientation(ofTIFF: block(.little, type: 3, count: 0, value: [6, 0, 0, 0])[...]) == 6)
    #expect(exifOrientation(ofTIFF: block(.little, type: 3, value: [9, 0, 0, 0])[...]) == 1)
    #expect(exifOrientation(ofTIFF: block(.little, type: 4, value: bytes(65_542, 4, .little))[...]) == 6)
  }

  /// A segment without an orientation is skipped.
  @Test func severalSegments() {
    func segment(_ block: [UInt8]) -> [UInt8] {
      [0xFF, 0xE1] + bytes(block.count + 8, 2, .big) + Array("Exif\0\0".utf8) + block
    }
    let six = segment(block(.little, type: 4, value: [6, 0, 0, 0]))
    let one = segment(block(.little, type: 3, value: [1, 0, 0, 0]))
    let none = segment(block(.little, type: 3, value: [3, 0, 0, 0], tag: 0x110))
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8] + six + one) == 6)
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8] + one + six) == 1)
    #expect(exifOrientation(ofJPEG: [0xFF, 0xD8] + none + six) == 6)
  }
}
