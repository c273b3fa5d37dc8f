/// The checksum CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected, start and end inverted.
///
/// Processes eight bytes at a time with eight tables ("slicing by 8"), since a checkpoint has hundreds of megabytes.
package struct CRC32C {
  private var state: UInt32 = 0xffff_ffff

  package var value: UInt32 { ~state }

  /// The checksum as TensorFlow's record files store it: masked, so that checksums may be part of checksummed data.
  package var masked: UInt32 { (value >> 15 | value << 17) &+ 0xa282_ead8 }

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var crc = state
    var offset = 0
    Self.tables.withUnsafeBufferPointer { tables in
      while offset &+ 8 <= bytes.count {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
        crc = 0
        for byte in 0..<8 {
          crc ^= tables[(7 &- byte) &* 256 &+ Int(truncatingIfNeeded: word >> UInt64(8 &* byte) & 0xff)]
        }
        offset &+= 8
      }
      while offset < bytes.count {
        crc = tables[Int((crc ^ UInt32(bytes[offset])) & 0xff)] ^ crc >> 8
        offset &+= 1
      }
    }
    state = crc
  }

  package mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  package static func of(_ bytes: [UInt8]) -> CRC32C {
    var crc = CRC32C()
    bytes.withUnsafeBytes { crc.add($0) }
    return crc
  }

  /// Table k at 256k: the effect of a byte that is followed by k more bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
      tables[byte] = crc
    }
    for index in 256..<tables.count {
      let shorter = tables[index - 256]
      tables[index] = tables[Int(shorter & 0xff)] ^ shorter >> 8
    }
    return tables
  }()
}
