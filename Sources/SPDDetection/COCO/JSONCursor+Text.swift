import SPDData

/// A string of a JSON text: a slice of the text, or decoded bytes if it has escapes.
struct JSONName {
  let raw: UnsafeRawBufferPointer
  let decoded: [UInt8]?

  static func ~= (pattern: StaticString, name: JSONName) -> Bool {
    let count = pattern.utf8CodeUnitCount
    if let decoded = name.decoded {
      return decoded.count == count && decoded.indices.allSatisfy { decoded[$0] == pattern.utf8Start[$0] }
    }
    return name.raw.count == count && (0..<count).allSatisfy { name.raw[$0] == pattern.utf8Start[$0] }
  }

  /// The text; bytes that are not UTF-8 become U+FFFD.
  var string: String { decoded.map { String(decoding: $0, as: UTF8.self) } ?? String(decoding: raw, as: UTF8.self) }
}

extension JSONCursor {
  /// Reads a string.
  mutating func string() throws(DataError) -> String {
    skipSpace()
    return try name().string
  }

  /// Reads a string or null.
  mutating func stringOrNull() throws(DataError) -> String? {
    if peekValue() == UInt8(ascii: "n") {
      try expect(word: "null")
      return nil
    }
    return try string()
  }

  /// Reads a string without copying it unless it has escapes.
  mutating func name() throws(DataError) -> JSONName {
    guard peek == UInt8(ascii: "\"") else { throw unexpected("a string") }
    position += 1
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        position += 1
        return JSONName(raw: raw, decoded: nil)
      }
      if byte == UInt8(ascii: "\\") {
        return JSONName(raw: .init(start: nil, count: 0), decoded: try decoded(from: start))
      }
      guard byte >= 0x20 else { throw error("a string holds a control character") }
      position += 1
    }
    throw noEnd(start)
  }

  private func noEnd(_ start: Int) -> DataError {
    error("a string has no end", at: start - 1, remedy: "the file is truncated: download or write it again")
  }

  /// Decodes a string whose text begins at `start` and whose first escape is the next byte.
  private mutating func decoded(from start: Int) throws(DataError) -> [UInt8] {
    var text = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return text
      case UInt8(ascii: "\\"): text += Array(UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter)
      case 0..<0x20: throw error("a string holds a control character", at: position - 1)
      default: text.append(byte)
      }
    }
    throw noEnd(start)
  }

  /// Reads an escape after its backslash. Half a surrogate pair becomes U+FFFD.
  private mutating func escape() throws(DataError) -> Unicode.Scalar {
    let kind = peek
    position += 1
    switch kind {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw error("a string holds an unknown escape", at: position - 1)
    }
    let unit = try hexUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A character beyond 16 bits is written as two escapes, a high and a low surrogate.
    let next = position
    guard unit < 0xdc00, peek == UInt8(ascii: "\\") else { return "\u{fffd}" }
    position += 1
    if peek == UInt8(ascii: "u") {
      position += 1
      let low = try hexUnit()
      if (0xdc00..<0xe000).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
      {
        return scalar
      }
    }
    position = next
    return "\u{fffd}"
  }

  private mutating func hexUnit() throws(DataError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(peek)).hexDigitValue else {
        throw error("a string holds a broken \\u escape")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}
