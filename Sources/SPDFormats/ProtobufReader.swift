/// Reads the fields of one Protocol Buffers message, checked against the end of the message.
package struct ProtobufReader {
  /// A value as stored; its meaning depends on the field number.
  package enum Value: Equatable, Sendable {
    case varint(UInt64), fixed64(UInt64), fixed32(UInt32)
    /// A string, bytes, a nested message, or packed numbers.
    case bytes(ArraySlice<UInt8>)
  }

  private let path: String
  private var bytes: ByteReader

  /// - Parameter path: the file's path, for messages.
  package init(_ message: ArraySlice<UInt8>, path: String) {
    self.path = path
    bytes = ByteReader(message, path: path, region: "a message")
  }

  /// Reads the next field; returns nil at the end of the message.
  ///
  /// - Throws: `FormatError` where the bytes are not a field.
  package mutating func next() throws -> (field: Int, value: Value)? {
    guard bytes.remaining > 0 else { return nil }
    let start = bytes.offset
    let key = try varint(for: "a field's key")
    let field = Int(key >> 3)
    guard field > 0, field < 1 << 29 else { throw bytes.error("\(field) is no field number", at: start) }
    switch ProtobufWireType(rawValue: key & 7) {
    case .varint: return (field, .varint(try varint(for: "field \(field)")))
    case .fixed64: return (field, .fixed64(try bytes.integer(UInt64.self, for: "field \(field)")))
    case .fixed32: return (field, .fixed32(try bytes.integer(UInt32.self, for: "field \(field)")))
    case .bytes:
      let at = bytes.offset
      let length = try varint(for: "the length of field \(field)")
      guard let count = Int(exactly: length) else { throw bytes.error("\(length) bytes are no length", at: at) }
      return (field, .bytes(try bytes.take(count, for: "field \(field)")))
    case nil: throw bytes.error("field \(field) has the wire type \(key & 7), which is not used", at: start)
    }
  }

  private mutating func varint(for purpose: String) throws -> UInt64 {
    let start = bytes.offset
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try bytes.integer(UInt8.self, for: purpose)
      // The tenth byte has room for only one bit.
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw bytes.error("\(purpose) is a number of more than 64 bits", at: start)
  }
}

extension ProtobufReader.Value {
  /// The value as an integer; nil if it has another type.
  package var int: Int? { if case .varint(let bits) = self { Int(Int64(bitPattern: bits)) } else { nil } }
  package var float: Float? { if case .fixed32(let bits) = self { Float(bitPattern: bits) } else { nil } }
  package var double: Double? { if case .fixed64(let bits) = self { Double(bitPattern: bits) } else { nil } }
  package var bytes: ArraySlice<UInt8>? { if case .bytes(let bytes) = self { bytes } else { nil } }
  package var string: String? { bytes.flatMap { String(validating: $0, as: UTF8.self) } }
}
