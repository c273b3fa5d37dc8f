extension String {
  /// The text without the mark that editors for Windows put before UTF-8, which a parser of YAML takes for content.
  package var withoutByteOrderMark: String {
    unicodeScalars.first == "\u{FEFF}" ? String(unicodeScalars.dropFirst()) : self
  }
}
