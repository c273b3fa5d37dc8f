/// Comma-separated values (RFC 4180) with LF line ends.
enum CSV {
  /// Formats a line with its line end, and quotes fields if necessary.
  static func line(_ fields: [String]) -> String {
    fields.map { field in
      let isPlain = field.utf8.allSatisfy { !",\"\n\r".utf8.contains($0) }
      return isPlain ? field : "\"" + field.replacing("\"", with: "\"\"") + "\""
    }.joined(separator: ",") + "\n"
  }

  /// Parses the fields of each line. A last line without a line end is incomplete and skipped.
  static func lines(_ text: String) -> [[String]] {
    var lines: [[String]] = []
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var scalars = text.unicodeScalars.makeIterator()
    var next = scalars.next()
    while let scalar = next {
      next = scalars.next()
      switch scalar {
      case "\"" where isQuoted && next == "\"":
        field += "\""
        next = scalars.next()
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        fields.append(field)
        field = ""
      case "\r" where !isQuoted && next == "\n": break
      case "\n" where !isQuoted:
        lines.append(fields + [field])
        fields = []
        field = ""
      default: field.unicodeScalars.append(scalar)
      }
    }
    return lines
  }
}
