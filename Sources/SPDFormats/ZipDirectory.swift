/// Finds and validates the directory of a zip archive and the data of each entry.
struct ZipDirectory {
  private(set) var entries: [ZipArchive.Entry] = []

  private let bytes: [UInt8]
  private let path: String

  private enum Signature {
    static let localHeader: UInt32 = 0x0403_4b50
    static let directoryEntry: UInt32 = 0x0201_4b50
    static let end: UInt32 = 0x0605_4b50
    static let end64: UInt32 = 0x0606_4b50
    static let locator64: UInt32 = 0x0706_4b50
  }
  private static let endSize = 22
  private static let directoryEntrySize = 46

  init(_ bytes: [UInt8], path: String) throws {
    self.bytes = bytes
    self.path = path
    let span = try findDirectory()
    var reader = try reader(at: span.offset, region: "the zip directory")
    guard span.size <= bytes.count - span.offset, span.count <= span.size / Self.directoryEntrySize else {
      throw reader.error("the zip directory does not fit into the file", remedy: "Copy the file again")
    }
    entries.reserveCapacity(span.count)
    var spans: [Range<Int>] = []
    for _ in 0..<span.count {
      let (entry, header) = try readEntry(&reader)
      spans.append(header..<entry.start + entry.packedSize)
      if !entry.name.hasSuffix("/") { entries.append(entry) }
    }
    // Overlapping entries are how a small file claims to contain a huge one.
    spans.sort { $0.lowerBound < $1.lowerBound }
    for (first, second) in zip(spans, spans.dropFirst()) where first.upperBound > second.lowerBound {
      throw FormatError(
        path: path, problem: "entries of the zip archive overlap", location: "byte \(second.lowerBound)")
    }
  }

  private func reader(at offset: Int, region: String) throws -> ByteReader {
    guard offset >= 0, offset <= bytes.count else {
      throw FormatError(
        path: path, problem: "\(region) would start at byte \(offset) of \(bytes.count)", remedy: "Copy the file again")
    }
    return ByteReader(bytes[offset...], path: path, region: region)
  }

  private struct Span {
    var offset: Int
    var size: Int
    var count: Int
  }

  /// Locates the directory through the end record, or through its zip64 form where the former is too narrow.
  private func findDirectory() throws -> Span {
    let end = try findEnd()
    var reader = try reader(at: end + 4, region: "the zip end record")
    let disk = try reader.integer(UInt16.self, for: "disk number")
    let firstDisk = try reader.integer(UInt16.self, for: "disk number")
    let countHere = try reader.integer(UInt16.self, for: "entry count")
    let count = try reader.integer(UInt16.self, for: "entry count")
    let size = try reader.integer(UInt32.self, for: "directory size")
    let offset = try reader.integer(UInt32.self, for: "directory offset")
    let needsWide = count == .max || countHere == .max || size == .max || offset == .max
    if needsWide, end >= 20 {
      var locator = try self.reader(at: end - 20, region: "the zip64 locator")
      if try locator.integer(UInt32.self, for: "signature") == Signature.locator64 { return try wideSpan(&locator) }
    }
    guard disk == 0, firstDisk == 0, count == countHere else {
      throw reader.error("is one part of a multi-part zip archive")
    }
    return Span(offset: Int(offset), size: Int(size), count: Int(count))
  }

  private func findEnd() throws -> Int {
    let longestComment = Int(UInt16.max)
    var start = bytes.count - Self.endSize
    let first = max(0, start - longestComment)
    while start >= first {
      var reader = ByteReader(bytes[start...], path: path, region: "the zip end record")
      if bytes[start] == 0x50, try reader.integer(UInt32.self, for: "signature") == Signature.end {
        try reader.skip(16, for: "fields")
        if Int(try reader.integer(UInt16.self, for: "comment length")) == reader.remaining { return start }
      }
      start -= 1
    }
    throw FormatError(
      path: path, problem: "starts as a zip archive but has no zip directory: it is cut off",
      location: "byte \(bytes.count)", remedy: "Copy the file again")
  }

  private func wideSpan(_ locator: inout ByteReader) throws -> Span {
    try locator.skip(4, for: "disk number")
    var reader = try reader(
      at: locator.size64(for: "offset of the zip64 end record"), region: "the zip64 end record")
    guard try reader.integer(UInt32.self, for: "signature") == Signature.end64 else {
      throw reader.error("the zip64 end record is missing", remedy: "Copy the file again")
    }
    try reader.skip(8 + 2 + 2 + 4 + 4 + 8, for: "fields")
    let count = try reader.size64(for: "entry count")
    let size = try reader.size64(for: "directory size")
    return Span(offset: try reader.size64(for: "directory offset"), size: size, count: count)
  }

  /// Reads one directory entry, and the offset of its local header.
  private func readEntry(_ reader: inout ByteReader) throws -> (ZipArchive.Entry, header: Int) {
    guard try reader.integer(UInt32.self, for: "signature") == Signature.directoryEntry else {
      throw reader.error("the zip directory is damaged", remedy: "Copy the file again")
    }
    try reader.skip(4, for: "versions")
    let flags = try reader.integer(UInt16.self, for: "flags")
    let method = try reader.integer(UInt16.self, for: "method")
    try reader.skip(4, for: "time")
    let checksum = try reader.integer(UInt32.self, for: "CRC-32")
    let packed32 = try reader.integer(UInt32.self, for: "size")
    let size32 = try reader.integer(UInt32.self, for: "size")
    let nameLength = Int(try reader.integer(UInt16.self, for: "name length"))
    let extraLength = Int(try reader.integer(UInt16.self, for: "extra length"))
    let commentLength = Int(try reader.integer(UInt16.self, for: "comment length"))
    try reader.skip(2 + 2 + 4, for: "attributes")
    let offset32 = try reader.integer(UInt32.self, for: "offset")
    let nameBytes = try reader.take(nameLength, for: "entry name")
    let name = FileName.string(nameBytes)
    let extra = try reader.take(extraLength, for: "extra field")
    try reader.skip(commentLength, for: "comment")
    guard flags & 0x2041 == 0 else { throw reader.error("zip entry \(quoted(name)) is encrypted") }

    var sizes = WideSizes(extra, path: path)
    let size = try sizes.value(size32)
    let packedSize = try sizes.value(packed32)
    let header = try sizes.value(offset32)

    let start = try dataStart(header: header, name: name, nameBytes: nameBytes)
    guard packedSize <= bytes.count - start else {
      throw reader.error("zip entry \(quoted(name)) reaches beyond the file", remedy: "Copy the file again")
    }
    let entry = ZipArchive.Entry(
      name: name, method: method, checksum: checksum, packedSize: packedSize, size: size, start: start)
    return (entry, header)
  }

  /// Finds the start of an entry's data: after its local header, whose name must match the directory.
  private func dataStart(header: Int, name: String, nameBytes: ArraySlice<UInt8>) throws -> Int {
    var local = try reader(at: header, region: "the local header of zip entry \(quoted(name))")
    guard try local.integer(UInt32.self, for: "signature") == Signature.localHeader else {
      throw local.error("there is no zip entry here", at: 0, remedy: "Copy the file again")
    }
    try local.skip(22, for: "fields")
    let nameLength = Int(try local.integer(UInt16.self, for: "name length"))
    let extraLength = Int(try local.integer(UInt16.self, for: "extra length"))
    guard try local.take(nameLength, for: "entry name") == nameBytes else {
      throw local.error("the zip directory and the entry name different files")
    }
    try local.skip(extraLength, for: "extra field")
    return header + local.offset
  }

  /// The zip64 extra field: the true values, in order, of the sizes that are all ones in the directory entry.
  private struct WideSizes {
    private var reader: ByteReader?

    init(_ extra: ArraySlice<UInt8>, path: String) {
      var fields = ByteReader(extra, path: path, region: "a zip64 extra field")
      while let tag = try? fields.integer(UInt16.self, for: "tag"),
        let length = try? fields.integer(UInt16.self, for: "length"),
        let content = try? fields.take(Int(length), for: "field")
      {
        if tag == 1 { reader = ByteReader(content, path: path, region: "a zip64 extra field") }
      }
    }

    mutating func value(_ narrow: UInt32) throws -> Int {
      if narrow == .max, reader != nil { return try reader!.size64(for: "size") }
      return Int(narrow)
    }
  }
}
