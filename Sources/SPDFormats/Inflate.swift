import CZlib

/// A wrapper around the two functions of zlib that are used.
package enum Zlib {
  /// Computes CRC-32 of the bytes, continued from `start`.
  package static func crc32(_ bytes: UnsafeRawBufferPointer, from start: UInt32 = 0) -> UInt32 {
    var checksum = uLong(start)
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(1 << 30)  // zlib counts in 32 bits
      checksum = CZlib.crc32(checksum, part.baseAddressOfSlice, uInt(part.count))
      rest = rest.dropFirst(part.count)
    }
    return UInt32(truncatingIfNeeded: checksum)
  }

  /// Inflates a raw deflate stream that must give exactly `size` bytes; returns nil where it does not.
  ///
  /// The caller has bounded `size`: it is allocated at once.
  static func inflate(_ input: ArraySlice<UInt8>, size: Int) -> [UInt8]? {
    var stream = z_stream()
    guard
      inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { inflateEnd(&stream) }

    var isComplete = false
    let output = [UInt8](unsafeUninitializedCapacity: size) { output, filled in
      input.withUnsafeBufferPointer { input in
        // One spare byte detects a stream that is longer than declared.
        var spare: UInt8 = 0
        var consumed = 0
        var status = Z_OK
        while status == Z_OK {
          if stream.avail_in == 0, consumed < input.count {
            let part = min(input.count - consumed, 1 << 30)
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress! + consumed)
            stream.avail_in = uInt(part)
            consumed += part
          }
          if filled < size {
            let room = min(size - filled, 1 << 30)
            stream.next_out = output.baseAddress! + filled
            stream.avail_out = uInt(room)
            status = CZlib.inflate(&stream, Z_NO_FLUSH)
            filled += room - Int(stream.avail_out)
          } else {
            status = withUnsafeMutablePointer(to: &spare) { spare in
              stream.next_out = spare
              stream.avail_out = 1
              return CZlib.inflate(&stream, Z_NO_FLUSH)
            }
            if stream.avail_out == 0 { return }
          }
        }
        isComplete = status == Z_STREAM_END && filled == size
      }
    }
    return isComplete ? output : nil
  }
}

extension Slice where Base == UnsafeRawBufferPointer {
  fileprivate var baseAddressOfSlice: UnsafePointer<UInt8>? {
    UnsafeRawBufferPointer(rebasing: self).baseAddress?.assumingMemoryBound(to: UInt8.self)
  }
}
