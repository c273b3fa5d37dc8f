import Foundation
import SPDFormats

/// An append-only file that other programs may read while it is written.
final class AppendedFile {
  let path: String
  private let descriptor: Int32

  /// Opens and locks a file, so that two runs in one folder cannot mix their results.
  ///
  /// - Parameter isNew: whether the file must not exist yet.
  /// - Throws: `FormatError` if it cannot be opened or another process holds the lock.
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
          remedy: "Choose a folder on a file system with locks")
      }
      throw FormatError(
        path: path, problem: "is being written by another process", remedy: "Wait for that run, or stop it first")
    }
  }

  /// Replaces the content of a file atomically and opens it.
  ///
  /// - Throws: as `init`; the file is then unchanged.
  static func replacing(_ path: String, by text: String) throws -> AppendedFile {
    // Lock the old file first, so that a run in progress is detected before its file is replaced.
    let old = try AppendedFile(path)
    try writeAtomically(to: path) { try $0.write(Array(text.utf8)) }
    let file = try AppendedFile(path)
    withExtendedLifetime(old) {}
    return file
  }

  deinit { close(descriptor) }

  /// Appends the bytes, in one system call if possible.
  func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count >= 0 { written += count } else if errno != EINTR { throw Self.failure(path, errno) }
      }
    }
  }

  /// Flushes the file to disk.
  func flush() throws {
    // Ignore files that cannot be synced, such as pipes.
    if fsync(descriptor) != 0, errno != EINVAL, errno != EROFS { throw Self.failure(path, errno) }
  }

  private static func failure(_ path: String, _ code: Int32) -> FormatError {
    FormatError(path: path, problem: "cannot be written: \(String(cString: strerror(code)))")
  }
}
