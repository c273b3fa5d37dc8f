/// Mutations inside containers whose checksums would otherwise refuse every change.
enum Containers {
  private static func table(polynomial: UInt32) -> [UInt32] {
    (0..<256 as Range<UInt32>).map { byte in
      (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
    }
  }

  private static let table = table(polynomial: 0xEDB8_8320)
  private static let castagnoliTable = table(polynomial: 0x82F6_3B78)

  private static func crc(_ bytes: some Sequence<UInt8>, _ table: [UInt32]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }

  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 { crc(bytes, table) }
  static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 { crc(bytes, castagnoliTable) }

  private static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  // MARK: zip

  typealias Entry = (name: [UInt8], data: [UInt8])

  /// The entries of an archive of stored entries; nil where any is compressed.
  static func storedEntries(_ bytes: [UInt8]) -> [Entry]? {
    func number(_ offset: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
    guard bytes.count >= 22,
      let end = stride(from: bytes.count - 22, through: 0, by: -1).first(where: { number($0, 4) == 0x0605_4b50 })
    else { return nil }
    var entries: [Entry] = []
    var offset = number(end + 16, 4)
    for _ in 0..<number(end + 10, 2) {
      guard number(offset + 10, 2) == 0 else { return nil }
      let name = Array(bytes[(offset + 46)..<(offset + 46 + number(offset + 28, 2))])
      let header = number(offset + 42, 4)
      let start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
      entries.append((name, Array(bytes[start..<start + number(offset + 20, 4)])))
      offset += 46 + number(offset + 28, 2) + number(offset + 30, 2) + number(offset + 32, 2)
    }
    return entries
  }

  static func zip(_ entries: [Entry]) -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for (name, data) in entries {
      let common =
        little(20 as UInt16) + little(0x800 as UInt16) + little(0 as UInt16) + little(0x21_0000 as UInt32)
        + little(crc32(data)) + little(UInt32(data.count)) + little(UInt32(data.count)) + little(UInt16(name.count))
        + little(0 as UInt16)
      directory +=
        little(0x0201_4b50 as UInt32) + little(20 as UInt16) + common + [UInt8](repeating: 0, count: 10)
        + little(UInt32(file.count)) + name
      file += little(0x0403_4b50 as UInt32) + common + name + data
    }
    let start = UInt32(file.count)
    let count = UInt16(entries.count)
    return file + directory + little(0x0605_4b50 as UInt32) + little(0 as UInt32) + little(count) + little(count)
      + little(UInt32(directory.count)) + little(start) + little(0 as UInt16)
  }

  // MARK: gzip

  private static let gzipHeader: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]

  /// A gzip file of one stored block.
  static func gzip(_ content: [UInt8]) -> [UInt8] {
    let content = content.prefix(0xffff)
    let count = UInt16(content.count)
    return gzipHeader + [1] + little(count) + little(~count) + content + little(crc32(content))
      + little(UInt32(content.count))
  }

  /// What a file made by ``gzip(_:)`` holds; nil for any other.
  static func storedContent(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.starts(with: gzipHeader + [1]), bytes.count >= 23 else { return nil }
    return Array(bytes[15..<bytes.count - 8])
  }

  // MARK: scan caches

  /// Corrects the checksum of a scan's cache, which comes after its magic number and version.
  static func checkedScanCache(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 24 else { return bytes }
    return bytes[..<12] + little(crc32c(bytes[24...])) + bytes[16...]
  }

  // MARK: PNG

  /// Corrects the chunk checksums of a PNG file, as far as its chunks are intact.
  static func checkedPNG(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var offset = 8
    while offset + 12 <= bytes.count {
      let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - offset - 12 else { break }
      let sum = crc32(bytes[(offset + 4)..<(offset + 8 + length)])
      for index in 0..<4 {
        bytes[offset + 8 + length + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * index))
      }
      offset += 12 + length
    }
    return bytes
  }
}
