import Foundation
import SPDFormats

/// A pattern of file names with `*`, `?` and `[…]`, as shells have them; in quotes, so that the shell leaves it as it is.
struct FilePattern {
  private let text: String

  init(_ text: String) { self.text = text }

  static func isPattern(_ text: String) -> Bool { text.utf8.contains { "*?[".utf8.contains($0) } }

  /// The folder that all matches are in, as far as the pattern gives it; empty for the current one.
  var folder: String {
    let fixed = text.utf8.prefix { !"*?[".utf8.contains($0) }
    guard let slash = fixed.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return String(text.unicodeScalars[..<slash])
  }

  /// The paths that match, sorted by bytes. Hidden files match only a pattern with the dot.
  func matches() -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard FileName.withPath(text, { glob($0, GLOB_NOSORT, nil, &found) }) == 0 else { return [] }
    let paths = (0..<Int(found.gl_pathc)).compactMap { index in
      found.gl_pathv[index].map { FileName.string(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

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
