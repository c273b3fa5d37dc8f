import Foundation
import SPDFormats

/// A pattern of file names with `*`, `?`, `[…]` and, for any number of folders, `**`, as shells have them; in quotes, so that the
/// shell leaves it as it is.
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

  /// The paths that match, sorted by bytes, each once. Hidden files match only a pattern with the dot.
  func matches() -> [String] {
    // Not as a set of texts: names that look alike may differ in their bytes.
    let paths = Self.expanded(text).flatMap(Self.matches).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var unique: [String] = []
    for path in paths where unique.last.map({ !$0.utf8.elementsEqual(path.utf8) }) ?? true { unique.append(path) }
    return unique
  }

  /// The patterns that one with the folder `**` stands for: none, one, two … folders in its place, as deep as there are some.
  private static func expanded(_ pattern: String) -> [String] {
    let parts = pattern.split(separator: "/", omittingEmptySubsequences: false)
    guard let stars = parts.dropLast().firstIndex(of: "**") else { return [pattern] }
    var result: [String] = []
    for depth in 0...maximumDepth {
      let folders = parts[..<stars] + Array(repeating: "*", count: depth)
      guard depth == 0 || !matches(folders.joined(separator: "/") + "/").isEmpty else { break }
      result += expanded((folders + parts[(stars + 1)...]).joined(separator: "/"))
    }
    return result
  }

  private static let maximumDepth = 16

  private static func matches(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard FileName.withPath(pattern, { glob($0, GLOB_NOSORT, nil, &found) }) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { index in
      found.gl_pathv[index].map { FileName.string(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
  }
}
