/// A zip archive in memory. Its directory is validated once; entries are read, inflated and verified on demand.
///
/// Stored and deflated entries and zip64 are supported. Multi-part archives, encrypted entries and overlapping entries
/// are refused. All entries together may inflate to 256 MB or 100 times the size of the file, whichever is more.
final class ZipArchive {
  struct Entry {
    let name: String
    let method: UInt16
    let checksum: UInt32
    /// Size in the archive, and after inflating, in bytes.
    let packedSize: Int
    let size: Int
    /// Index of the first packed byte in the file.
    let start: Int
  }

  let path: String
  /// The entries in directory order, without folders.
  let entries: [Entry]
  private let bytes: [UInt8]
  /// Indices by the bytes of the name: two spellings of one text are two entries.
  private let indexByName: [[UInt8]: Int]
  private var contents: [Int: ArraySlice<UInt8>] = [:]
  /// Number of bytes that deflated entries may still inflate to.
  private var inflationLeft: Int

  /// The inflation limit of a small file; that of a large one is `inflationRatio` times its size.
  static let freeInflation = 256 << 20
  static let inflationRatio = 100

  init(_ bytes: [UInt8], path: String) throws {
    let directory = try ZipDirectory(bytes, path: path)
    self.path = path
    self.bytes = bytes
    entries = directory.entries
    var indexByName: [[UInt8]: Int] = [:]
    for (index, entry) in entries.enumerated() {
      guard indexByName.updateValue(index, forKey: Array(entry.name.utf8)) == nil else {
        throw FormatError(path: path, problem: "the zip archive holds \(quoted(entry.name)) twice")
      }
    }
    self.indexByName = indexByName
    inflationLeft = max(Self.freeInflation, bytes.count * Self.inflationRatio)
  }

  /// Size of the archive in bytes.
  var fileSize: Int { bytes.count }

  func entry(named name: String) -> Entry? { indexByName[Array(name.utf8)].map { entries[$0] } }

  /// The bytes of an entry, inflated, verified and cached; nil where the archive has no such entry.
  func contents(of name: String) throws -> ArraySlice<UInt8>? {
    guard let index = indexByName[Array(name.utf8)] else { return nil }
    if let known = contents[index] { return known }
    let unpacked = try unpack(entries[index])
    contents[index] = unpacked
    return unpacked
  }

  /// Reads an entry: inflates it and verifies its CRC.
  func unpack(_ entry: Entry) throws -> ArraySlice<UInt8> {
    func failure(_ problem: String, remedy: String? = nil) -> FormatError {
      FormatError(path: path, problem: problem, location: "zip entry \(quoted(entry.name))", remedy: remedy)
    }
    let packed = bytes[entry.start..<entry.start + entry.packedSize]
    let unpacked: ArraySlice<UInt8>
    switch entry.method {
    case 0:
      guard entry.packedSize == entry.size else { throw failure("a stored zip entry declares two sizes") }
      unpacked = packed
    case 8:
      // Deflate cannot exceed 1032:1, so a larger claim is false and its memory is not allocated.
      guard entry.size / 1032 <= entry.packedSize else {
        throw failure("declares \(entry.size) bytes out of \(entry.packedSize), which deflate cannot give")
      }
      guard entry.size <= inflationLeft else {
        throw failure(
          "the archive would inflate to more than \(max(Self.freeInflation, bytes.count * Self.inflationRatio)) bytes, "
            + "the limit for \(bytes.count) bytes",
          remedy: "If the file is to be trusted, write it again without compression")
      }
      guard let inflated = Zlib.inflate(packed, size: entry.size) else {
        throw failure("the deflated data is damaged or not of its declared size", remedy: "Copy the file again")
      }
      inflationLeft -= entry.size
      unpacked = inflated[...]
    default:
      throw failure(
        "is compressed by zip method \(entry.method)", remedy: "Write it again stored (0) or deflated (8)")
    }
    guard unpacked.withUnsafeBytes({ Zlib.crc32($0) }) == entry.checksum else {
      throw failure("the data does not match its CRC-32: the file is damaged", remedy: "Copy the file again")
    }
    return unpacked
  }
}
