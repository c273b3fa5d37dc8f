import Foundation
import SPDFormats

/// A file that grows at its end while other programs read it.
final class AppendedFile {
  let path: String
  private let descriptor: Int32

  /// Opens a file for this process alone to write: two trainings in one folder would mix their results.
  ///
  /// - Parameter isNew: whether the file must not be there yet.
  /// - Throws: `FormatError` where the system refuses or another process has it open.
  init(_ path: String, isNew: Bool = false) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (isNew ? O_EXCL : 0), 0o666)
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else {
        throw FormatError(
          path: path, problem: "cannot be locked: \(String(cString: strerror(code)))",
          remedy: "Give a folder on a disk that knows locks")
      }
      throw FormatError(
        path: path, problem: "is being written by another process", remedy: "Wait for that run, or stop it first")
    }
  }

  deinit { close(descriptor) }

  /// Hands the bytes to the system as one piece where it takes them so.
  func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count >= 0 { written += count } else if errno != EINTR { throw Self.failure(path, errno) }
      }
    }
  }

  /// Waits until the disk has everything.
  func flush() throws {
    // What cannot be synced, such as a pipe, has no disk behind it.
    if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { throw Self.failure(path, errno) }
  }

  private static func failure(_ path: String, _ code: Int32) -> FormatError {
    FormatError(path: path, problem: "cannot be written: \(String(cString: strerror(code)))")
  }
}
