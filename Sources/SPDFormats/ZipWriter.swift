/// Writes a zip archive of stored entries, in order, to a byte sink.
///
/// The same entries give the same bytes: every entry has the format's earliest time.
struct ZipWriter {
  /// Receives the bytes, in order.
  typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  private struct Record {
    let name: [UInt8]
    let checksum: UInt32
    let size: UInt64
    let offset: UInt64
  }

  private let sink: Sink
  /// Threshold from which sizes and offsets are written as 64-bit; lowered by tests.
  private let wideFrom: UInt64
  private var records: [Record] = []
  private var position: UInt64 = 0

  private static let earliestTime: UInt32 = 0x0021_0000  // 1980-01-01 00:00

  init(wideFrom: UInt64 = UInt64(UInt32.max), sink: @escaping Sink) {
    self.wideFrom = wideFrom
    self.sink = sink
  }

  /// Adds an entry whose data is `parts` joined; `name` has a maximum of 65 535 UTF-8 bytes.
  mutating func add(_ name: String, parts: [UnsafeRawBufferPointer]) throws {
    let size = parts.reduce(0) { $0 + UInt64($1.count) }
    let checksum = parts.reduce(0) { Zlib.crc32($1, from: $0) }
    let record = Record(name: Array(name.utf8), checksum: checksum, size: size, offset: position)
    let isWide = size >= wideFrom
    var header = LittleEndianBytes()
    header.append(0x0403_4b50 as UInt32)
    appendCommon(of: record, isWide: isWide, extraLength: isWide ? 20 : 0, to: &header)
    header.append(record.name)
    if isWide { header.appendWideExtra([size, size]) }
    try put(header.bytes)
    for part in parts { try put(part) }
    records.append(record)
  }

  /// Writes the directory; nothing may be added afterwards.
  mutating func finish() throws {
    let directoryStart = position
    for record in records {
      let isWide = record.size >= wideFrom
      let isFar = record.offset >= wideFrom
      let extra = (isWide ? [record.size, record.size] : []) + (isFar ? [record.offset] : [])
      var entry = LittleEndianBytes()
      entry.append(0x0201_4b50 as UInt32)
      entry.append(45 as UInt16)
      appendCommon(
        of: record, isWide: isWide, extraLength: extra.isEmpty ? 0 : UInt16(4 + 8 * extra.count), to: &entry)
      entry.append(0 as UInt16)  // comment
      entry.append(0 as UInt16)  // disk
      entry.append(0 as UInt16)  // internal attributes
      entry.append(0 as UInt32)  // external attributes
      entry.append(isFar ? UInt32.max : UInt32(record.offset))
      entry.append(record.name)
      if !extra.isEmpty { entry.appendWideExtra(extra) }
      try put(entry.bytes)
    }
    try putEnd(directoryStart: directoryStart, directorySize: position - directoryStart)
  }

  private mutating func putEnd(directoryStart: UInt64, directorySize: UInt64) throws {
    let count = UInt64(records.count)
    let isWide = directoryStart >= wideFrom || directorySize >= wideFrom || count >= UInt64(UInt16.max)
    var end = LittleEndianBytes()
    if isWide {
      let wideEnd = position
      end.append(0x0606_4b50 as UInt32)
      end.append(44 as UInt64)  // size of the rest of this record
      end.append(45 as UInt16)
      end.append(45 as UInt16)
      end.append(0 as UInt32)
      end.append(0 as UInt32)
      end.append(count)
      end.append(count)
      end.append(directorySize)
      end.append(directoryStart)
      end.append(0x0706_4b50 as UInt32)
      end.append(0 as UInt32)
      end.append(wideEnd)
      end.append(1 as UInt32)
    }
    end.append(0x0605_4b50 as UInt32)
    end.append(0 as UInt32)
    end.append(isWide ? UInt16.max : UInt16(count))
    end.append(isWide ? UInt16.max : UInt16(count))
    end.append(isWide ? UInt32.max : UInt32(directorySize))
    end.append(isWide ? UInt32.max : UInt32(directoryStart))
    end.append(0 as UInt16)
    try put(end.bytes)
  }

  /// Appends the fields that the local header and the directory entry share, from "version needed" to "extra length".
  private func appendCommon(of record: Record, isWide: Bool, extraLength: UInt16, to bytes: inout LittleEndianBytes) {
    bytes.append(UInt16(isWide ? 45 : 20))
    bytes.append(0x0800 as UInt16)  // the name is UTF-8
    bytes.append(0 as UInt16)  // stored
    bytes.append(Self.earliestTime)
    bytes.append(record.checksum)
    bytes.append(isWide ? UInt32.max : UInt32(record.size))
    bytes.append(isWide ? UInt32.max : UInt32(record.size))
    bytes.append(UInt16(record.name.count))
    bytes.append(extraLength)
  }

  private mutating func put(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try put($0) } }

  private mutating func put(_ bytes: UnsafeRawBufferPointer) throws {
    try sink(bytes)
    position += UInt64(bytes.count)
  }
}

/// A buffer of little-endian fixed-width integers.
struct LittleEndianBytes {
  private(set) var bytes: [UInt8] = []

  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ more: [UInt8]) { bytes += more }

  /// Appends a zip64 extra field.
  mutating func appendWideExtra(_ values: [UInt64]) {
    append(1 as UInt16)
    append(UInt16(8 * values.count))
    for value in values { append(value) }
  }
}
