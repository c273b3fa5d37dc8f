import SPDFormats

/// The framing of TensorFlow's record files, which TensorBoard reads: the length of the data in 8 bytes, the masked
/// CRC-32C of those, the data, the masked CRC-32C of the data; all little-endian.
enum TFRecord {
  static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = bytes(UInt64(data.count))
    return length + bytes(CRC32C.of(length).masked) + data + bytes(CRC32C.of(data).masked)
  }

  /// Returns the data of each record. A truncated last record is skipped, as in TensorBoard.
  ///
  /// - Throws: `FormatError` if a checksum is wrong.
  static func records(_ file: [UInt8], path: String) throws -> [ArraySlice<UInt8>] {
    var records: [ArraySlice<UInt8>] = []
    var rest = file[...]
    while rest.count >= 12 {
      func damaged(_ what: String) -> FormatError {
        FormatError(
          path: path, problem: "record \(records.count + 1) is damaged: the checksum of its \(what) is wrong",
          location: "byte \(rest.startIndex)")
      }
      guard integer(rest.dropFirst(8), UInt32.self) == CRC32C.of(Array(rest.prefix(8))).masked else {
        throw damaged("length")
      }
      let length = integer(rest, UInt64.self)
      guard length <= UInt64(rest.count), rest.count - 12 - Int(length) >= 4 else { break }
      let data = rest.dropFirst(12).prefix(Int(length))
      guard integer(rest[data.endIndex...], UInt32.self) == CRC32C.of(Array(data)).masked else { throw damaged("data") }
      records.append(data)
      rest = rest[(data.endIndex + 4)...]
    }
    return records
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static func integer<Value: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, _ type: Value.Type) -> Value {
    bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(as: Value.self)) }
  }
}
