import Foundation
import SPD
import SPDFormats

/// A cache of compiler outputs, keyed by everything that they depend on: source, compiler, flags, machine.
///
/// An entry is a folder with its files and `digest`, which has their sizes and checksums. An entry is flushed to disk before
/// it is renamed into place, and verified on every use; a damaged one is rebuilt. Processes that need the same entry wait for
/// the first of them.
package struct ObjectCache: Sendable {
  package let folder: URL

  /// Opens the user's cache, or that of `SPDC_CACHE`, for one kind of entry.
  package init(_ kind: String) throws { folder = try Files.cache(kind) }

  package init(folder: URL) { self.folder = folder }

  /// Everything that the output of a compiler depends on, in order.
  package struct Key {
    private var text = ""

    package init(_ parts: String...) { for part in parts { add(part) } }

    package mutating func add(_ part: String) { text += "\(part.utf8.count):" + part }
    package mutating func add(_ parts: [String]) { for part in ["\(parts.count)"] + parts { add(part) } }

    package var name: String { hashName(text) }
  }

  /// Returns the path of an entry's file, and builds the entry if it is missing or damaged.
  ///
  /// - Parameter make: writes the entry's files into a folder that becomes the entry.
  package func file(_ name: String, _ key: Key, make: (_ folder: URL) async throws -> Void) async throws -> URL {
    let entry = folder.appendingPathComponent(key.name)
    let file = entry.appendingPathComponent(name)
    if Self.isIntact(entry, with: name) { return file }
    try await Files.hintingAtCache {
      let lock = entry.path + ".lock"
      try await Interruption.temporary(lock) {
        let (descriptor, isOurs) = await Self.lock(lock)
        defer { if descriptor >= 0 { close(descriptor) } }
        if Self.isIntact(entry, with: name) { return }
        if isOurs { removeLeftovers(of: entry) }
        try await Files.withTemporaryFolder(beside: entry) { temporary in
          try await make(temporary)
          try seal(temporary)
          try Interruption.shielded { try put(temporary, at: entry, with: name) }
        }
      }
    }
    return file
  }

  // MARK: - entries

  private static let digestName = "digest"

  /// Returns a line per file: size, checksum, name.
  private static func digest(of entry: URL) throws -> String {
    try FileManager.default.contentsOfDirectory(atPath: entry.path).filter { $0 != digestName }.sorted().map { name in
      let data = try Data(contentsOf: entry.appendingPathComponent(name))
      return "\(data.count) \(data.withUnsafeBytes { Zlib.crc32($0) }) \(name)\n"
    }.joined()
  }

  private static func isIntact(_ entry: URL, with name: String) -> Bool {
    guard let noted = try? String(contentsOf: entry.appendingPathComponent(digestName), encoding: .utf8),
      noted.contains(" \(name)\n")
    else { return false }
    return noted == (try? digest(of: entry))
  }

  /// Writes the digest and flushes everything to disk.
  private func seal(_ temporary: URL) throws {
    let digest = try Self.digest(of: temporary)
    try digest.write(to: temporary.appendingPathComponent(Self.digestName), atomically: false, encoding: .utf8)
    for name in try FileManager.default.contentsOfDirectory(atPath: temporary.path) {
      try Self.synchronise(temporary.appendingPathComponent(name).path)
    }
    try Self.synchronise(temporary.path)
  }

  private static func synchronise(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    // Some file systems do not support fsync. A full disk is reported here.
    guard descriptor >= 0, fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
      throw Failure(.cannotWrite, "\(path): \(String(cString: strerror(errno)))")
    }
  }

  private func put(_ temporary: URL, at entry: URL, with name: String) throws {
    if rename(temporary.path, entry.path) == 0 {
      try? Self.synchronise(folder.path)
      return
    }
    // Another process may have built the same entry first.
    if Self.isIntact(entry, with: name) { return }
    // A damaged entry may be in use: rename it, then remove it.
    let aside = temporary.path + ".old"
    guard rename(entry.path, aside) == 0, rename(temporary.path, entry.path) == 0 else {
      throw Failure(.cannotWrite, "\(entry.path): \(String(cString: strerror(errno)))")
    }
    try? FileManager.default.removeItem(atPath: aside)
  }

  /// Removes temporary folders of killed processes.
  private func removeLeftovers(of entry: URL) {
    let prefix = ".\(entry.lastPathComponent)."
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where name.hasPrefix(prefix) {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }

  /// Waits for a process that builds the same entry, for two minutes at most: it may be suspended, and building twice is safe.
  ///
  /// - Returns: the lock's file descriptor, −1 if it cannot be opened, and whether this process holds the lock.
  private static func lock(_ path: String) async -> (descriptor: Int32, isOurs: Bool) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return (-1, false) }
    let start = ContinuousClock.now
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let isHeld = errno == EWOULDBLOCK || errno == EINTR
      guard isHeld, ContinuousClock.now - start < .seconds(120) else { return (descriptor, false) }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return (descriptor, true)
  }
}
