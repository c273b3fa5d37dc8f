/// Bounds what aliases of a YAML text expand to.
///
/// A parser that compares or hashes nodes, as for duplicate keys, visits an aliased collection once for every alias of
/// it, and a chain of anchors multiplies: nine lines of ten aliases each stand for a billion nodes. With n aliases, it
/// is at most 3^(n/3) times the text.
package enum YAMLAliases {
  /// More than a file of settings needs.
  private static let most = 16

  /// The line of the first alias too many; nil where the text has few enough.
  ///
  /// Counts whatever looks like an alias, also in quotes and comments: a star before a name, after a space or
  /// punctuation of YAML.
  package static func lineOfExcess(in text: String) -> Int? {
    var line = 1
    var count = 0
    var previous = UInt8(ascii: "\n")
    var isAfterStar = false
    for byte in text.utf8 {
      if isAfterStar, isName(byte) {
        count += 1
        if count > most { return line }
      }
      isAfterStar = byte == UInt8(ascii: "*") && isSeparator(previous)
      if byte == UInt8(ascii: "\n") { line += 1 }
      previous = byte
    }
    return nil
  }

  private static func isSeparator(_ byte: UInt8) -> Bool { byte <= 0x20 || ",:?-[{}]\"'".utf8.contains(byte) }

  private static func isName(_ byte: UInt8) -> Bool {
    byte > 0x20 && !",[]{}*".utf8.contains(byte)
  }
}
