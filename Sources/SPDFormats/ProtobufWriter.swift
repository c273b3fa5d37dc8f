/// A Protocol Buffers message that writes its fields in the order of their numbers, as all writers do.
package protocol ProtobufMessage {
  func write(to writer: inout ProtobufWriter)
}

/// Writes the Protocol Buffers wire format: a key (field number and wire type) before each value.
///
/// Fields without a value are not written. Repeated numbers are written one by one, as `proto2` does by default.
package struct ProtobufWriter {
  package private(set) var bytes: [UInt8] = []
  /// Number of bytes written or counted so far.
  private var count = 0
  /// Whether bytes are only counted: a message is preceded by its length, so it is written twice, first to count.
  private let isCounting: Bool

  private init(isCounting: Bool) { self.isCounting = isCounting }

  /// Encodes a top-level message.
  package static func bytes(of message: some ProtobufMessage) -> [UInt8] {
    var writer = ProtobufWriter(isCounting: false)
    writer.bytes.reserveCapacity(size(of: message))
    message.write(to: &writer)
    return writer.bytes
  }

  package static func size(of message: some ProtobufMessage) -> Int {
    var writer = ProtobufWriter(isCounting: true)
    message.write(to: &writer)
    return writer.count
  }

  package mutating func int(_ field: Int, _ value: Int?) {
    guard let value else { return }
    key(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  package mutating func ints(_ field: Int, _ values: [Int]) {
    for value in values { int(field, value) }
  }

  package mutating func float(_ field: Int, _ value: Float?) {
    guard let value else { return }
    key(field, .fixed32)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { put($0) }
  }

  package mutating func double(_ field: Int, _ value: Double?) {
    guard let value else { return }
    key(field, .fixed64)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { put($0) }
  }

  package mutating func string(_ field: Int, _ value: String?) {
    guard var value else { return }
    key(field, .bytes)
    varint(UInt64(value.utf8.count))
    value.withUTF8 { put(UnsafeRawBufferPointer($0)) }
  }

  package mutating func strings(_ field: Int, _ values: [String]) {
    for value in values { string(field, value) }
  }

  package mutating func bytes(_ field: Int, _ value: [UInt8]?) {
    guard let value else { return }
    key(field, .bytes)
    varint(UInt64(value.count))
    value.withUnsafeBytes { put($0) }
  }

  package mutating func message(_ field: Int, _ value: (some ProtobufMessage)?) {
    guard let value else { return }
    key(field, .bytes)
    varint(UInt64(Self.size(of: value)))
    value.write(to: &self)
  }

  package mutating func messages(_ field: Int, _ values: [some ProtobufMessage]) {
    for value in values { message(field, value) }
  }

  private mutating func key(_ field: Int, _ type: ProtobufWireType) { varint(UInt64(field) << 3 | type.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    repeat {
      let byte = UInt8(truncatingIfNeeded: rest & 0x7f)
      rest >>= 7
      if !isCounting { bytes.append(rest == 0 ? byte : byte | 0x80) }
      count += 1
    } while rest != 0
  }

  private mutating func put(_ buffer: UnsafeRawBufferPointer) {
    if !isCounting { bytes.append(contentsOf: buffer) }
    count += buffer.count
  }
}

/// How the value of a field is encoded.
enum ProtobufWireType: UInt64 {
  case varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5
}
