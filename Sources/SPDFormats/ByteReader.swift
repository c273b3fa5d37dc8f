/// Reads consecutive little-endian fields from a slice of a file; every read is checked.
struct ByteReader {
  /// The file, for messages.
  let path: String
  /// The slice's name in messages: "data.pkl", "zip directory".
  let region: String
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>, path: String, region: String) {
    self.bytes = bytes
    self.path = path
    self.region = region
    position = bytes.startIndex
  }

  /// Bytes read so far.
  var offset: Int { position - bytes.startIndex }
  var remaining: Int { bytes.endIndex - position }

  /// Makes an error at a byte of this region, by default the current one.
  func error(_ problem: String, at offset: Int? = nil, remedy: String? = nil) -> FormatError {
    FormatError(path: path, problem: problem, location: "byte \(offset ?? self.offset) of \(region)", remedy: remedy)
  }

  /// Takes the next `count` bytes. The count may come from the file: it is checked against what is left.
  mutating func take(_ count: Int, for purpose: @autoclosure () -> String) throws -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else {
      throw error(
        "ends early: \(count) bytes wanted for \(purpose()), \(remaining) left", remedy: "Copy the file again")
    }
    let slice = bytes[position..<position + count]
    position += count
    return slice
  }

  mutating func skip(_ count: Int, for purpose: @autoclosure () -> String) throws {
    _ = try take(count, for: purpose())
  }

  /// Reads a fixed-width little-endian integer.
  mutating func integer<Value: FixedWidthInteger>(
    _ type: Value.Type, for purpose: @autoclosure () -> String
  ) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard size <= remaining else {
      _ = try take(size, for: purpose())
      return 0
    }
    let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    position += size
    return Value(littleEndian: value)
  }

  /// Reads a 64-bit unsigned size or offset; throws where it is too large for this machine's `Int`.
  mutating func size64(for purpose: @autoclosure () -> String) throws -> Int {
    let start = offset
    let value = try integer(UInt64.self, for: purpose())
    guard let size = Int(exactly: value) else {
      throw error("\(purpose()) is \(value), which no file can hold", at: start)
    }
    return size
  }

  /// Reads up to the next newline, which is consumed but not returned.
  mutating func line(for purpose: @autoclosure () -> String) throws -> ArraySlice<UInt8> {
    guard let end = bytes[position...].firstIndex(of: 0x0a) else {
      throw error("ends early: \(purpose()) has no end of line", remedy: "Copy the file again")
    }
    let slice = bytes[position..<end]
    position = end + 1
    return slice
  }

  /// The next byte without consuming it; nil at the end.
  var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  /// Consumes the byte that `peek` returned.
  mutating func advance() { if position < bytes.endIndex { position += 1 } }
}
