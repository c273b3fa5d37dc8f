import SPDData
import SPDFormats

/// Pulls tokens of a JSON text from memory in one pass, without building values.
///
/// SPDFormats' JSON reader builds a tree for headers of a few kilobytes, with limits on arrays and nesting that COCO's
/// files exceed. Here the caller decides for every member whether to read or to skip it, so a file of 450 MB costs no
/// more memory than what is kept of it. The dialect is that of Python's json module: NaN, Infinity and -Infinity are
/// numbers.
///
///     try json.beginObject()
///     while let name = try json.nextName() {
///       switch name {
///       case "id": id = try json.integer()
///       default: try json.skipValue()
///       }
///     }
struct JSONCursor {
  /// The text; its owner keeps it alive while the cursor is used.
  let bytes: UnsafeRawBufferPointer
  /// Name of the file in messages.
  let path: String
  /// Offset of the next byte.
  var position = 0
  /// True after the opening bracket of an object or array, where no comma is wanted.
  private var isFirst = false

  /// Nesting of ignored values; the ones that are read have a known depth.
  private static let maximumDepth = 64

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  /// The next byte; 0, which no JSON text contains, at the end.
  var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

  /// The first byte of the next value, which tells its type.
  mutating func peekValue() -> UInt8 {
    skipSpace()
    return peek
  }

  mutating func beginObject() throws(DataError) {
    try expect(UInt8(ascii: "{"), "an object")
    isFirst = true
  }

  mutating func beginArray() throws(DataError) {
    try expect(UInt8(ascii: "["), "an array")
    isFirst = true
  }

  /// Returns the name of the object's next member, whose value must be read or skipped; nil after the last one.
  mutating func nextName() throws(DataError) -> JSONName? {
    guard try isBeforeItem(closing: UInt8(ascii: "}")) else { return nil }
    let name = try name()
    try expect(UInt8(ascii: ":"), "a colon")
    return name
  }

  /// Returns whether the array has another element, which must be read or skipped.
  mutating func nextElement() throws(DataError) -> Bool { try isBeforeItem(closing: UInt8(ascii: "]")) }

  /// Skips a value of any type, which must be valid.
  mutating func skipValue() throws(DataError) { try skipValue(depth: 0) }

  private mutating func skipValue(depth: Int) throws(DataError) {
    guard depth < Self.maximumDepth else { throw error("is nested too deeply") }
    switch peekValue() {
    case UInt8(ascii: "{"):
      try beginObject()
      while try nextName() != nil { try skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try beginArray()
      while try nextElement() { try skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""): _ = try name()
    case UInt8(ascii: "t"): try expect(word: "true")
    case UInt8(ascii: "f"): try expect(word: "false")
    case UInt8(ascii: "n"): try expect(word: "null")
    default: _ = try scanNumber()
    }
  }

  /// Requires that only white space follows.
  mutating func end() throws(DataError) {
    skipSpace()
    guard position == bytes.count else { throw error("there is text after the JSON value") }
  }

  mutating func skipSpace() {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
      position += 1
    }
  }

  mutating func expect(word: StaticString) throws(DataError) {
    let isHere =
      bytes.count - position >= word.utf8CodeUnitCount
      && (0..<word.utf8CodeUnitCount).allSatisfy { bytes[position + $0] == word.utf8Start[$0] }
    guard isHere else { throw unexpected("a value") }
    position += word.utf8CodeUnitCount
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(DataError) {
    skipSpace()
    guard peek == byte else { throw unexpected(what) }
    position += 1
  }

  private mutating func isBeforeItem(closing: UInt8) throws(DataError) -> Bool {
    skipSpace()
    if peek == closing {
      position += 1
      isFirst = false
      return false
    }
    if isFirst {
      isFirst = false
    } else {
      guard peek == UInt8(ascii: ",") else {
        throw unexpected(closing == UInt8(ascii: "}") ? "a comma or }" : "a comma or ]")
      }
      position += 1
      skipSpace()
      if peek == closing { throw error("a comma is followed by no item") }
    }
    return true
  }

  /// Makes the error for a token of the wrong type, or for a text that ends early.
  func unexpected(_ wanted: String) -> DataError {
    position >= bytes.count
      ? error("ends where \(wanted) is expected", remedy: "the file is truncated: download or write it again")
      : error("\(wanted) is expected")
  }

  /// Makes an error that names the byte and the line.
  ///
  /// - Parameter offset: where the fault begins; the current position by default.
  func error(
    _ what: String, at offset: Int? = nil, remedy: String = "correct the file, or download or write it again"
  ) -> DataError {
    let offset = min(offset ?? position, bytes.count)
    let line = bytes[..<offset].reduce(1) { $1 == 0x0a ? $0 + 1 : $0 }
    return DataError(path: path, what: "\(what) (byte \(offset), line \(line))", remedy: remedy)
  }
}

/// Reads a file's bytes and passes a cursor over them to `body`.
func withJSONCursor<Value>(
  _ path: String, _ body: (inout JSONCursor) throws(DataError) -> Value
) throws(DataError) -> Value {
  let text: [UInt8]
  do {
    text = try readWholeFile(path)
  } catch {
    let known = error as? FormatError
    throw DataError(
      path: path, what: known?.problem ?? "cannot be read (\(error))",
      remedy: known?.remedy ?? "check the path and its permissions", isOfTheMachine: known?.isOfTheMachine ?? false)
  }
  let result = text.withUnsafeBytes { bytes -> Result<Value, DataError> in
    var cursor = JSONCursor(bytes, path: path)
    do throws(DataError) {
      let value = try body(&cursor)
      try cursor.end()
      return .success(value)
    } catch { return .failure(error) }
  }
  return try result.get()
}
