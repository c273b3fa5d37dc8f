import CZlib

/// Inflates a gzip file (RFC 1952) piece by piece, so that its first bytes can bound what the rest may expand to.
package final class GzipReader {
  /// Whether a file starts as every deflated gzip file does.
  package static func recognises(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b, 8]) }

  /// The largest number of bytes that `size` bytes of deflate can give: 1032 per byte, as a block of one bit a match of
  /// 258 bytes would.
  package static func maximumExpansion(of size: Int) -> Int { size * 1032 }

  private let bytes: [UInt8]
  private let path: String
  // zlib's state points back at the stream, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var consumed = 0
  private var status = Z_OK

  /// - Throws: `FormatError` where zlib cannot get memory.
  package init(_ bytes: [UInt8], path: String) throws {
    (self.bytes, self.path) = (bytes, path)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 16: gzip's header, and the check of CRC-32 and length at the end.
    guard inflateInit2_(stream, 16 + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw FormatError(path: path, problem: "zlib cannot start", isOfTheMachine: true)
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Returns the next `count` bytes, fewer only at the end of the stream. They are allocated at once: the caller has
  /// bounded `count`.
  ///
  /// - Throws: `FormatError` where the stream is damaged or the file ends within it.
  package func read(_ count: Int) throws -> [UInt8] {
    let output = [UInt8](unsafeUninitializedCapacity: count) { output, filled in
      bytes.withUnsafeBufferPointer { input in
        while status == Z_OK, filled < count {
          // zlib counts in 32 bits.
          let given = min(input.count - consumed, 1 << 30)
          let room = min(count - filled, 1 << 30)
          stream.pointee.next_in = input.baseAddress.map { UnsafeMutablePointer(mutating: $0 + consumed) }
          stream.pointee.avail_in = uInt(given)
          stream.pointee.next_out = output.baseAddress! + filled
          stream.pointee.avail_out = uInt(room)
          status = inflate(stream, Z_NO_FLUSH)
          consumed += given - Int(stream.pointee.avail_in)
          filled += room - Int(stream.pointee.avail_out)
        }
      }
    }
    guard status == Z_OK || status == Z_STREAM_END else {
      let isCut = status == Z_BUF_ERROR
      throw FormatError(
        path: path, problem: isCut ? "ends within its gzip stream" : "the gzip stream is damaged",
        location: "byte \(consumed)", remedy: "Copy the file again")
    }
    return output
  }

  /// Checks that nothing follows what was read: neither in the stream nor after it.
  package func requireEnd() throws {
    guard try read(1).isEmpty else {
      throw FormatError(path: path, problem: "holds more bytes than its header declares", remedy: "Copy the file again")
    }
    guard consumed == bytes.count else {
      throw FormatError(
        path: path, problem: "has \(bytes.count - consumed) bytes after its gzip stream", remedy: "Copy the file again")
    }
  }
}
