import Foundation

/// The whole of a regular file.
///
/// The bytes are copied, not mapped: a mapping would crash the process when the file shrinks while it is read.
///
/// - Throws: `FormatError` where it cannot be opened or read, is no regular file, or is larger than half of the memory.
public func readWholeFile(_ path: String) throws -> [UInt8] {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { throw FormatError(path: path, problem: "cannot be opened: \(errorText(errno))") }
  defer { close(descriptor) }

  var status = stat()
  guard fstat(descriptor, &status) == 0 else {
    throw FormatError(path: path, problem: "cannot be read: \(errorText(errno))")
  }
  switch status.st_mode & S_IFMT {
  case S_IFREG: break
  case S_IFDIR: throw FormatError(path: path, problem: "is a directory; a file is wanted")
  default: throw FormatError(path: path, problem: "is not a regular file")
  }
  let size = Int(status.st_size)
  guard UInt64(size) <= ProcessInfo.processInfo.physicalMemory / 2 else {
    throw FormatError(path: path, problem: "has \(size) bytes, more than half of this machine's memory")
  }

  var failure: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
    while filled < size {
      let got = read(descriptor, buffer.baseAddress! + filled, min(size - filled, 1 << 30))
      if got > 0 {
        filled += got
      } else if got == 0 {
        break
      } else if errno != EINTR {
        failure = errno
        break
      }
    }
  }
  guard failure == 0 else { throw FormatError(path: path, problem: "cannot be read: \(errorText(failure))") }
  return bytes
}

/// The system's words for an error number: "No space left on device".
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
