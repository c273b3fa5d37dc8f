/// Comma-separated values as RFC 4180 has them, with line feeds between the lines.
enum CSV {
  /// A line with its end. A field is quoted where it must be.
  static func line(_ fields: [String]) -> String {
    fields.map { field in
      let isPlain = field.utf8.allSatisfy { !",\"\n\r".utf8.contains($0) }
      return isPlain ? field : "\"" + field.replacing("\"", with: "\"\"") + "\""
    }.joined(separator: ",") + "\n"
  }

  /// The fields of each line. A last line without its end was not written whole and is left out.
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
