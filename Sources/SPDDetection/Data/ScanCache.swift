import Foundation
import SPDFormats

/// Keeps what a scan found, so that the next one only looks at sizes and times of files.
///
/// The file holds a checksum, the format's version and the number of classes, which labels were checked against; then
/// an entry per image with its path, stamps, size, objects and issues. A file that differs in any of the former, or is
/// damaged, counts as absent. Paths are relative to the folder of the source, so the cache holds wherever the data set
/// is named from. Numbers are stored as in memory: on a machine of the other byte order the magic number does not match.
struct ScanCache {
  private static let magic: UInt64 = 0x6e61_6373_2d64_7073  // "spd-scan"
  private static let version: UInt32 = 1
  private static let headerSize = 24
  /// Larger than the cache of any data set that fits into memory.
  private static let sizeLimit = 4 << 30

  /// Reads a cache; empty if there is none that can be used.
  ///
  /// - Parameter base: the folder of the source.
  static func load(_ path: String, base: String, classCount: Int) -> [String: ScanEntry] {
    guard PathKind(of: path) == .file, let bytes = try? readWholeFile(path, limit: sizeLimit) else { return [:] }
    return entries(bytes, base: base, classCount: classCount) ?? [:]
  }

  /// Decodes a cache file; nil if it is damaged or of another version.
  static func entries(_ bytes: [UInt8], base: String, classCount: Int) -> [String: ScanEntry]? {
    bytes.withUnsafeBytes { bytes in
      var reader = CacheReader(bytes)
      guard reader.read(UInt64.self) == magic, reader.read(UInt32.self) == version,
        let checksum = reader.read(UInt32.self), reader.read(UInt32.self) == UInt32(clamping: classCount),
        let count = reader.read(UInt32.self)
      else { return nil }
      var crc = CRC32C.of([])
      crc.add(UnsafeRawBufferPointer(rebasing: bytes[headerSize...]))
      guard crc.value == checksum else { return nil }
      var entries: [String: ScanEntry] = [:]
      entries.reserveCapacity(min(Int(count), bytes.count / CacheReader.minimumEntry))
      for _ in 0..<count {
        guard let (path, entry) = reader.entry(base: base, classCount: classCount) else { return nil }
        entries[path] = entry
      }
      return reader.isAtEnd ? entries : nil
    }
  }

  static func checksum(_ payload: [UInt8]) -> UInt32 { CRC32C.of(payload).value }

  static func encoded(_ paths: [String], _ entries: [ScanEntry], base: String, classCount: Int) -> [UInt8] {
    var payload = CacheWriter()
    for (path, entry) in zip(paths, entries) { payload.write(path, entry, base: base) }
    var header = CacheWriter()
    header.write(magic)
    header.write(version)
    header.write(checksum(payload.bytes))
    header.write(UInt32(clamping: classCount))
    header.write(UInt32(clamping: entries.count))
    return header.bytes + payload.bytes
  }

  /// Where caches of a source may lie, best first: beside the list or the folder of images, then in a folder of caches.
  static func locations(source: String, cacheFolder: String?) -> [String] {
    let beside = source + ".spdc-cache"
    guard let cacheFolder else { return [beside] }
    let isAbsolute = source.utf8.first == UInt8(ascii: "/")
    let absolute = isAbsolute ? source : Paths.joined(FileManager.default.currentDirectoryPath, source)
    // FNV-1a: two sources of the same name have caches of their own.
    let hash = absolute.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    let name = Paths.lastComponent(source) + "-" + String(hash, radix: 16) + ".spdc-cache"
    return [beside, Paths.joined(cacheFolder, name)]
  }
}
