import Foundation
import SPD
import SPDFormats

/// Files that compilers made, kept by everything that they were made of: text, compiler, flags, machine.
///
/// An entry is a folder: its files, and `digest` with their sizes and checksums. It reaches the disk before it gets its name, and
/// is looked at whenever it is used: what was cut off or damaged since is made again. Processes that want the same entry
/// wait for the first of them.
package struct ObjectCache: Sendable {
  package let folder: URL

  /// The user's, or `SPDC_CACHE`'s, for one kind of entry.
  package init(_ kind: String) throws { folder = try Files.cache(kind) }

  package init(folder: URL) { self.folder = folder }

  /// Everything that the result of a compiler depends on; the order counts.
  package struct Key {
    private var text = ""

    package init(_ parts: String...) { for part in parts { add(part) } }

    package mutating func add(_ part: String) { text += "\(part.utf8.count):" + part }
    package mutating func add(_ parts: [String]) { for part in ["\(parts.count)"] + parts { add(part) } }

    /// 128 bits: two hashes, of the text forwards and backwards.
    package var name: String {
      [fnv1a(text.utf8), fnv1a(text.utf8.reversed())].map {
        let digits = String($0, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }.joined()
    }
  }

  /// Path of an entry's file.
  ///
  /// - Parameter make: puts the file, and whatever else belongs to the entry, into a folder that becomes the entry.
  package func file(_ name: String, _ key: Key, make: (_ folder: URL) async throws -> Void) async throws -> URL {
    let entry = folder.appendingPathComponent(key.name)
    let file = entry.appendingPathComponent(name)
    if Self.isWhole(entry, with: name) { return file }
    try await Files.hintingAtCache {
      let lock = entry.path + ".lock"
      try await Interruption.temporary(lock) {
        let (descriptor, isOurs) = await Self.lock(lock)
        defer { if descriptor >= 0 { close(descriptor) } }
        if Self.isWhole(entry, with: name) { return }
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

  /// A line for each file: size, checksum, name.
  private static func digest(of entry: URL) throws -> String {
    try FileManager.default.contentsOfDirectory(atPath: entry.path).filter { $0 != digestName }.sorted().map { name in
      let data = try Data(contentsOf: entry.appendingPathComponent(name))
      return "\(data.count) \(data.withUnsafeBytes { Zlib.crc32($0) }) \(name)\n"
    }.joined()
  }

  private static func isWhole(_ entry: URL, with name: String) -> Bool {
    guard let noted = try? String(contentsOf: entry.appendingPathComponent(digestName), encoding: .utf8),
      noted.contains(" \(name)\n")
    else { return false }
    return noted == (try? digest(of: entry))
  }

  /// Notes the digest and waits until everything has reached the disk.
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
    // Not every file system can; a disk that is full says so here.
    guard descriptor >= 0, fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
      throw Failure(.cannotWrite, "\(path): \(String(cString: strerror(errno)))")
    }
  }

  private func put(_ temporary: URL, at entry: URL, with name: String) throws {
    if rename(temporary.path, entry.path) == 0 {
      try? Self.synchronise(folder.path)
      return
    }
    // Another process may have been faster; its result is the same.
    if Self.isWhole(entry, with: name) { return }
    // What is damaged may be in use: it goes aside and disappears when it is let go.
    let aside = temporary.path + ".old"
    guard rename(entry.path, aside) == 0, rename(temporary.path, entry.path) == 0 else {
      throw Failure(.cannotWrite, "\(entry.path): \(String(cString: strerror(errno)))")
    }
    try? FileManager.default.removeItem(atPath: aside)
  }

  /// Folders of processes that were killed.
  private func removeLeftovers(of entry: URL) {
    let prefix = ".\(entry.lastPathComponent)."
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] where name.hasPrefix(prefix) {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }

  /// Waits for whoever makes the same entry, but not for ever: it may have been stopped, and two may make an entry.
  ///
  /// - Returns: the lock's file, −1 if it cannot be opened, and whether this process holds the lock.
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
