import Foundation

/// Writes a file atomically: a reader sees the old file or the complete new one.
///
/// The bytes go to a temporary file in the same folder, are synced to disk, and are renamed into place. On failure the
/// old file is untouched and the temporary file is removed. Special files such as /dev/stdout are written directly.
/// Errors include the system's message.
public func writeAtomically(to path: String, _ body: (FileSink) throws -> Void) throws {
  // A link keeps its name: its target is replaced.
  let target = resolvedLink(path)
  var status = stat()
  let exists = FileName.withPath(target) { stat($0, &status) } == 0
  if exists, status.st_mode & S_IFMT == S_IFDIR {
    throw FormatError(path: path, problem: "cannot be written: \(errorText(EISDIR))")
  }
  if exists, status.st_mode & S_IFMT != S_IFREG {
    let descriptor = FileName.withPath(target) { open($0, O_WRONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw writeError(path, errno) }
    defer { close(descriptor) }
    let sink = FileSink(descriptor, path: path)
    try body(sink)
    return try sink.flush()
  }

  let temporary = folder(of: target) + ".spdc-" + String(UInt64.random(in: 0...UInt64.max), radix: 16) + ".tmp"
  let descriptor = FileName.withPath(temporary) { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
  guard descriptor >= 0 else { throw writeError(path, errno) }
  var isOpen = true
  do {
    let sink = FileSink(descriptor, path: path)
    try body(sink)
    try sink.flush()
    if exists, fchmod(descriptor, status.st_mode & 0o7777) != 0 { throw writeError(path, errno) }
    if fsync(descriptor) != 0 { throw writeError(path, errno) }
    isOpen = false
    if close(descriptor) != 0 { throw writeError(path, errno) }
    let isRenamed = FileName.withPath(temporary) { old in FileName.withPath(target) { rename(old, $0) } } == 0
    if !isRenamed { throw writeError(path, errno) }
  } catch {
    if isOpen { close(descriptor) }
    _ = FileName.withPath(temporary) { unlink($0) }
    throw error
  }
  syncFolder(of: target)
}

/// Whether a name is that of a temporary file of `writeAtomically`.
package func isTemporaryName(_ name: String) -> Bool {
  guard name.hasPrefix(".spdc-"), name.hasSuffix(".tmp") else { return false }
  let digits = name.dropFirst(".spdc-".count).dropLast(".tmp".count).utf8
  return (1...16).contains(digits.count) && digits.allSatisfy { "0123456789abcdef".utf8.contains($0) }
}

/// Buffers bytes on their way to a file, so that small writes are cheap.
public final class FileSink {
  private let descriptor: Int32
  private let path: String
  private var pending: [UInt8] = []
  private static let pendingLimit = 1 << 16

  fileprivate init(_ descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  public func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    if pending.count + bytes.count > Self.pendingLimit { try flush() }
    if bytes.count > Self.pendingLimit { try push(bytes) } else { pending.append(contentsOf: bytes) }
  }

  fileprivate func flush() throws {
    try pending.withUnsafeBytes { try push($0) }
    pending.removeAll(keepingCapacity: true)
  }

  private func push(_ bytes: UnsafeRawBufferPointer) throws {
    var written = 0
    while written < bytes.count {
      let count = Foundation.write(descriptor, bytes.baseAddress! + written, min(bytes.count - written, 1 << 30))
      if count >= 0 { written += count } else if errno != EINTR { throw writeError(path, errno) }
    }
  }
}

private func writeError(_ path: String, _ code: Int32) -> FormatError {
  FormatError(path: path, problem: "cannot be written: \(errorText(code))")
}

/// The folder with its trailing slash; empty for the current one.
private func folder(of path: String) -> String {
  // By bytes: a name may begin with a combining character, which would merge with the slash.
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
  return String(path.unicodeScalars[...slash])
}

private func resolvedLink(_ path: String) -> String {
  guard let resolved = FileName.withPath(path, { realpath($0, nil) }) else { return path }
  defer { free(resolved) }
  return FileName.string(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
}

/// Makes the new name durable. The file itself is complete by now, so a folder that cannot be synced is not an error.
private func syncFolder(of path: String) {
  let name = folder(of: path)
  let descriptor = FileName.withPath(name.isEmpty ? "." : name) { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
  if descriptor >= 0 {
    fsync(descriptor)
    close(descriptor)
  }
}
