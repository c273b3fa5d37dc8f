/// Text out of files and paths, made safe for a terminal or a log: control characters, characters that reverse the
/// direction of writing, and line separators become escapes. Safe text is returned as it is.
func printable(_ text: String) -> String {
  func isSafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: false
    default: true
    }
  }
  if text.unicodeScalars.allSatisfy(isSafe) { return text }
  var safe = ""
  for scalar in text.unicodeScalars {
    if isSafe(scalar) {
      safe.unicodeScalars.append(scalar)
    } else {
      safe += "\\u{\(String(scalar.value, radix: 16))}"
    }
  }
  return safe
}
