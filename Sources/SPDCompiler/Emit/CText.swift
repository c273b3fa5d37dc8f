/// Text from a graph as it may stand in C.
///
/// Whatever comes from a model or graph file goes through one of these, also where it has been checked against an alphabet
/// before: names decide nothing about what is compiled.
public enum CText {
  /// For a comment: nothing in it ends or begins one, splices lines, forms a trigraph or the hole of a template, or is
  /// invisible. What could is written as `\u{…}`, which is never the last thing before a line's end.
  public static func comment(_ text: some StringProtocol) -> String {
    let scalars = Array(text.unicodeScalars)
    var result = ""
    for (index, scalar) in scalars.enumerated() {
      let previous = index > 0 ? scalars[index - 1] : nil
      let isHarmless =
        switch scalar {
        case "\\", "@": false
        case "/": previous != "*" && index > 0 && !(index + 1 < scalars.count && scalars[index + 1] == "*")
        case "*": index + 1 < scalars.count
        case "?": previous != "?"
        default: isVisible(scalar)
        }
      result += isHarmless ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
    }
    return result
  }

  /// As a string literal, quotation marks included: the same bytes in UTF-8, all of them printable ASCII in the text.
  public static func string(_ text: String) -> String {
    let bytes = text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "@"): octal(byte)
      case 0x20..<0x7f: String(UnicodeScalar(byte))
      default: octal(byte)
      }
    }
    return "\"" + bytes.joined() + "\""
  }

  /// Three digits, so that a digit that follows is not among them.
  private static func octal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 8)
    return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
    default: true
    }
  }
}
