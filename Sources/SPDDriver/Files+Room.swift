import Foundation
import SPDFormats

extension Files {
  /// Returns the folder for temporary files: `TMPDIR`, else /tmp.
  ///
  /// - Throws: `Failure` with the folder and the system's reason if it is not writable.
  package static func temporaryFolder() throws -> URL {
    let folder = temporaryPath
    if let reason = problem(writingTo: folder) { throw noRoom(in: folder, reason) }
    return URL(fileURLWithPath: folder, isDirectory: true)
  }

  private static var temporaryPath: String {
    let own = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
    return own.isEmpty ? "/tmp" : own
  }

  /// Returns the failure for a folder that is full or not writable.
  private static func noRoom(in folder: String, _ reason: String) -> Failure {
    let remedy =
      folder == temporaryPath
      ? "Temporary files are written there; set TMPDIR to use another folder."
      : folder.hasPrefix(cacheRoot().path) ? cacheHint : "Free some space there, or choose another folder."
    return Failure(.cannotWrite, "\(folder): cannot be written: \(reason)\n  \(remedy)")
  }

  /// Returns the failure of a program that lacked disk space or permission, with the folder and the system's reason; nil
  /// for other causes.
  ///
  /// - Parameters:
  ///   - outcome: exit status and output of the program.
  ///   - folder: its output folder. Its temporary files go to the folder for temporary files.
  package static func writeFailure(_ outcome: Toolchain.Outcome, writingTo folder: URL) -> Failure? {
    let folders = [temporaryPath, folder.path]
    for folder in folders {
      if let reason = problem(writingTo: folder) { return noRoom(in: folder, reason) }
    }
    // The files that filled the disk may have been removed when the program failed.
    let reasons = [ENOSPC, EDQUOT, EROFS, EFBIG].map { String(cString: strerror($0)) }
    let said = reasons.first { outcome.errors.contains($0) || outcome.output.contains($0) }
    // A linker that writes through mapped memory gets SIGBUS if the disk is full.
    let died = outcome.signal == SIGBUS || outcome.errors.contains("Bus error") || outcome.errors.contains("signal 7")
    guard let fullest = folders.min(by: { free($0) < free($1) }) else { return nil }
    if let said { return noRoom(in: fullest, said) }
    return died && free(fullest) < 256 << 20 ? noRoom(in: fullest, reasons[0]) : nil
  }

  /// Returns the bytes available to this user.
  private static func free(_ folder: String) -> Int {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else { return .max }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  /// Tries to write a small file.
  ///
  /// - Returns: the system's error; nil if the folder is writable.
  private static func problem(writingTo folder: String) -> String? {
    let path = folder + "/.spdc-\(UUID().uuidString)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return String(cString: strerror(errno)) }
    defer {
      close(descriptor)
      unlink(path)
    }
    let block = [UInt8](repeating: 0x5a, count: 1 << 14)
    for _ in 0..<4 where Foundation.write(descriptor, block, block.count) < block.count {
      return String(cString: strerror(errno == 0 ? ENOSPC : errno))
    }
    return nil
  }
}
