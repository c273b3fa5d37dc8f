import Foundation
import SPDFormats

/// Paths, one per line, with their line numbers. Blanks around them and empty lines are dropped; a name may be any bytes.
struct PathLines {
  let paths: [(line: Int, path: String)]

  /// Maximum size of a list in bytes: some five million paths.
  private static let limit = 256 << 20

  init(_ bytes: some Collection<UInt8>) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let content = bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes.dropFirst(0)
    paths = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap {
      index, line in
      var line = line.drop(while: Self.isBlank)
      while let last = line.last, Self.isBlank(last) { line = line.dropLast() }
      // The system's calls end a name at a zero.
      return line.isEmpty || line.contains(0) ? nil : (index + 1, FileName.string(line))
    }
  }

  /// - Throws: `FormatError` for a list that cannot be read.
  init(contentsOf path: String) throws { self.init(try readWholeFile(path, limit: Self.limit)) }

  /// Reads standard input to its end.
  static func standardInput() throws -> PathLines {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count == 0 { break }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw FormatError(path: "-", problem: "standard input cannot be read: \(String(cString: strerror(errno)))")
      }
      bytes += chunk[..<count]
      guard bytes.count <= limit else {
        throw FormatError(path: "-", problem: "standard input has more than \(limit) bytes; give fewer paths at a time")
      }
    }
    return PathLines(bytes)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
