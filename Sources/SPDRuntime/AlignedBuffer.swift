#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory that begins at a multiple of 64 bytes, freed with the object. Its contents are undefined until written.
public final class AlignedBuffer: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  public init(byteCount: Int) throws {
    var pointer: UnsafeMutableRawPointer?
    guard byteCount >= 0, posix_memalign(&pointer, 64, max(byteCount, 64)) == 0, let pointer else {
      throw RuntimeError.outOfMemory(bytes: byteCount)
    }
    base = pointer
    self.byteCount = byteCount
  }

  deinit { free(base) }
}
