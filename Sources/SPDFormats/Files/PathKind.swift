import Foundation

/// The kind of thing at a path. Links count as their targets. Nothing is opened, so nothing can block.
package enum PathKind: Equatable, Sendable {
  case file
  case folder
  /// A FIFO, a socket or a device, with its description: it cannot be read as a file.
  case special(String)
  /// A link whose target does not exist, or a cycle of links.
  case danglingLink
  /// Something that the system refuses to inspect, with its message.
  case inaccessible(String)

  /// Returns nil where nothing exists.
  package init?(of path: String) {
    var status = stat()
    if FileName.withPath(path, { stat($0, &status) }) == 0 {
      self.init(mode: status.st_mode)
      return
    }
    let code = errno
    var link = stat()
    if code == ENOENT || code == ELOOP, FileName.withPath(path, { lstat($0, &link) }) == 0 {
      self = .danglingLink
    } else if code == ENOENT || code == ENOTDIR {
      return nil
    } else {
      self = .inaccessible(errorText(code))
    }
  }

  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    case S_IFIFO: self = .special("a FIFO")
    case S_IFSOCK: self = .special("a socket")
    default: self = .special("a device")
    }
  }

  /// Why it can be neither read nor entered, as the end of a sentence; nil for files and folders.
  package var fault: String? {
    switch self {
    case .file, .folder: nil
    case .special(let what): "is not a regular file but \(what)"
    case .danglingLink: "is a broken link"
    case .inaccessible(let reason): "cannot be inspected: \(reason)"
    }
  }
}

/// Lists the names in a folder, sorted by bytes, without `.` and `..`.
///
/// - Throws: `FormatError` where the folder cannot be read.
package func namesInFolder(_ path: String) throws -> [String] {
  guard let stream = FileName.withPath(path, { opendir($0) }) else {
    throw FormatError(opening: path, errno)
  }
  defer { closedir(stream) }
  var names: [[UInt8]] = []
  while true {
    errno = 0
    guard let entry = readdir(stream) else {
      if errno != 0 { throw FormatError(path: path, problem: "cannot be read: \(errorText(errno))") }
      break
    }
    // Names may exceed the declared field on some file systems, so use its address and not its size.
    let offset = MemoryLayout<dirent>.offset(of: \dirent.d_name)!
    let start = UnsafeRawPointer(entry) + offset
    let name = Array(UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
    if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
  }
  return names.sorted { $0.lexicographicallyPrecedes($1) }.map(FileName.string)
}
