import Foundation

/// Reads a whole regular file.
///
/// The bytes are copied, not mapped: a mapping would crash the process if the file shrank while it is read. A FIFO, a
/// socket or a device is refused without being opened, since opening it could block or have side effects.
///
/// - Parameter limit: maximum size of the file in bytes; half of the machine's memory by default.
/// - Throws: `FormatError` where the file cannot be opened or read, is not a regular file, or exceeds the limit.
public func readWholeFile(_ path: String, limit: Int? = nil) throws -> [UInt8] {
  var status = stat()
  guard FileName.withPath(path, { stat($0, &status) }) == 0 else { throw FormatError(opening: path, errno) }
  try requireRegular(status, path)
  // The file may have been replaced since the check: O_NONBLOCK, because opening a FIFO would wait for a writer.
  let descriptor = FileName.withPath(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
  guard descriptor >= 0 else { throw FormatError(opening: path, errno) }
  defer { close(descriptor) }
  guard fstat(descriptor, &status) == 0 else { throw FormatError(opening: path, errno) }
  try requireRegular(status, path)

  let size = Int(status.st_size)
  let half = ProcessInfo.processInfo.physicalMemory / 2
  guard UInt64(size) <= half else {
    throw FormatError(path: path, problem: "has \(size) bytes, more than half of this machine's memory")
  }
  if let limit, size > limit {
    throw FormatError(path: path, problem: "has \(size) bytes; at most \(limit) are read")
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
  guard failure == 0 else {
    throw FormatError(path: path, problem: "cannot be read: \(errorText(failure))", isOfTheMachine: failure != EISDIR)
  }
  return bytes
}

private func requireRegular(_ status: stat, _ path: String) throws {
  switch PathKind(mode: status.st_mode) {
  case .file: break
  case .folder:
    throw FormatError(path: path, problem: "is a directory; a file is wanted", remedy: "Name a file in it")
  case let other: throw FormatError(path: path, problem: other.fault!, remedy: "Copy its data into a file")
  }
}

extension FormatError {
  /// Makes the error for a path that the system refuses to open or inspect.
  init(opening path: String, _ code: Int32) {
    // Any other code is a fault of the machine, not of the path.
    let ofThePath = [ENOENT, EACCES, EPERM, ENOTDIR, ELOOP, ENAMETOOLONG, EINVAL, ENXIO, EISDIR]
    self.init(
      path: path, problem: "cannot be opened: \(errorText(code))", isOfTheMachine: !ofThePath.contains(code))
  }
}

/// The system's message for an error number: "No space left on device".
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }
