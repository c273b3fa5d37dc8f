/// Makes text from files and paths safe for a terminal or a log. Control characters, characters that reverse the
/// writing direction, line separators and bytes that are not UTF-8 (see ``FileName``) become escapes. Safe text is
/// returned unchanged.
package func printable(_ text: String) -> String {
  if text.unicodeScalars.allSatisfy({ escape($0) == nil }) { return text }
  var safe = ""
  for scalar in text.unicodeScalars {
    if let escape = escape(scalar) { safe += escape } else { safe.unicodeScalars.append(scalar) }
  }
  return safe
}

/// Makes a name from a file safe to print: quoted, escaped, shortened.
func quoted(_ name: String, limit: Int = 100) -> String {
  var text = ""
  for scalar in name.unicodeScalars.prefix(limit) {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    default: if let escape = escape(scalar) { text += escape } else { text.unicodeScalars.append(scalar) }
    }
  }
  let isCut = name.unicodeScalars.dropFirst(limit).isEmpty == false
  return "\"\(text)\(isCut ? "…" : "")\""
}

/// The escape that is printed instead of a character; nil where the character itself is printable.
private func escape(_ scalar: Unicode.Scalar) -> String? {
  func hexadecimal(_ value: some BinaryInteger) -> String { String(value, radix: 16) }
  switch scalar.value {
  case 0x20..<0x7f: return nil
  case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
    return "\\u{\(hexadecimal(scalar.value))}"
  default: return FileName.byte(of: scalar).map { "\\x" + hexadecimal($0) }
  }
}
