#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory aligned to 64 bytes, freed with the object. Its contents are undefined until written.
///
/// Large buffers ask for huge pages: the first touch of a hundred thousand small ones takes as long as packing into them.
public final class AlignedBuffer: @unchecked Sendable {
  public let base: UnsafeMutableRawPointer
  public let byteCount: Int

  public init(byteCount: Int) throws {
    var pointer: UnsafeMutableRawPointer?
    let hugePage = 2 << 20
    let isLarge = byteCount >= 4 * hugePage
    guard byteCount >= 0, posix_memalign(&pointer, isLarge ? hugePage : 64, max(byteCount, 64)) == 0, let pointer else {
      throw RuntimeError.outOfMemory(bytes: byteCount)
    }
    #if os(Linux)
      // Only advice: without huge pages, small ones are used.
      if isLarge { madvise(pointer, byteCount / hugePage * hugePage, MADV_HUGEPAGE) }
    #endif
    base = pointer
    self.byteCount = byteCount
  }

  deinit { free(base) }
}
