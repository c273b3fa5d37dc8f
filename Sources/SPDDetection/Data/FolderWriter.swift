import Foundation
import SPDData
import SPDFormats

/// Writes the folder of a data set: complete, or not at all.
package enum FolderWriter {
  /// What a data set's folder holds. A folder with anything else is never replaced.
  private static let ownNames: Set<String> = [
    "data.yaml", "images", "labels", "annotations", "train.txt", "val.txt", "test.txt",
  ]

  /// Calls `body` with a new folder beside `path`, and moves it there once it is complete.
  ///
  /// - Parameter replaces: whether a data set that was written before is replaced. Other files are never removed.
  /// - Throws: where `path` holds anything else, and what `body` throws.
  static func write(to path: String, replaces: Bool, _ body: (String) throws(DataError) -> Void) throws(DataError) {
    let target = Paths.withoutTrailingSlash(path)
    let old = try contents(of: target, replaces: replaces)
    let temporary = temporaryPath(for: target)
    // Left by a process of the same number that was killed.
    try? FileManager.default.removeItem(atPath: temporary)
    do throws(DataError) {
      try createFolder(temporary)
      try body(temporary)
      try move(temporary, to: target, replacing: old)
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      guard error.path.hasPrefix(temporary) else { throw error }
      // Nobody knows the folder that it would have come from.
      throw DataError(
        path: target + error.path.dropFirst(temporary.count), what: error.what, remedy: error.remedy,
        isOfTheMachine: error.isOfTheMachine, isOutput: error.isOutput)
    }
  }

  /// Refuses to replace a folder that holds what the new one is made of or links to.
  ///
  /// - Parameter sources: files and folders.
  static func require(_ path: String, holdsNoneOf sources: [String]) throws(DataError) {
    let target = Paths.withoutTrailingSlash(path)
    let places = [absolute(target), resolved(target)].compactMap(\.self)
    for source in sources {
      for name in [absolute(source), resolved(source)].compactMap(\.self) {
        guard places.contains(where: { name == $0 || name.hasPrefix($0 + "/") }) else { continue }
        throw DataError(
          path: target, what: "holds \(name), which the new data set is made of or links to",
          remedy: "give another folder", isOutput: true)
      }
    }
  }

  /// As it is written, from the root.
  private static func absolute(_ path: String) -> String {
    Paths.withoutTrailingSlash(URL(fileURLWithPath: path).standardizedFileURL.path)
  }

  /// What a path leads to, with all links followed; nil if nothing is there.
  private static func resolved(_ path: String) -> String? {
    guard let found = FileName.withPath(path, { realpath($0, nil) }) else { return nil }
    defer { free(found) }
    return FileName.string(UnsafeRawBufferPointer(start: found, count: strlen(found)))
  }

  /// The folder that becomes `path`. Whoever handles signals removes it.
  package static func temporaryPath(for path: String) -> String {
    let target = Paths.withoutTrailingSlash(path)
    let name = ".\(Paths.lastComponent(target)).spdc-\(ProcessInfo.processInfo.processIdentifier)"
    return Paths.joined(Paths.folder(of: target), name)
  }

  /// The names in the target; nil if it does not exist.
  private static func contents(of target: String, replaces: Bool) throws(DataError) -> [String]? {
    switch PathKind(of: target) {
    case nil: return nil
    case .folder: break
    case .some(let other):
      throw DataError(
        path: target, what: other.fault ?? "is a file, not a folder", remedy: "give the path of a new folder")
    }
    let names: [String]
    do { names = try namesInFolder(target) } catch { throw Paths.error(error, target) }
    if names.isEmpty { return names }
    guard replaces else {
      throw DataError(
        path: target, what: "is not empty", remedy: "give another folder, or --force to replace a data set")
    }
    let foreign = names.filter { !ownNames.contains($0) && !$0.hasSuffix(".spdc-cache") }
    guard foreign.isEmpty, names.contains("data.yaml") else {
      throw DataError(
        path: target,
        what: "is not a data set's folder" + (foreign.first.map { ": it holds \($0)" } ?? ": it has no data.yaml"),
        remedy: "give another folder; --force replaces data sets only")
    }
    return names
  }

  private static func move(_ temporary: String, to target: String, replacing old: [String]?) throws(DataError) {
    guard let old else { return try rename(temporary, target) }
    if old.isEmpty {
      _ = FileName.withPath(target) { rmdir($0) }
      return try rename(temporary, target)
    }
    let aside = temporary + ".old"
    try rename(target, aside)
    do throws(DataError) {
      try rename(temporary, target)
    } catch {
      try? rename(aside, target)
      throw error
    }
    try? FileManager.default.removeItem(atPath: aside)
  }

  private static func rename(_ from: String, _ to: String) throws(DataError) {
    let isRenamed = FileName.withPath(from) { from in FileName.withPath(to) { Foundation.rename(from, $0) } } == 0
    if !isRenamed { throw failure(to, "cannot be written", errno) }
  }

  /// Creates a folder and the folders above it.
  static func createFolder(_ path: String) throws(DataError) {
    if path.isEmpty || PathKind(of: path) == .folder { return }
    if FileName.withPath(path, { mkdir($0, 0o777) }) == 0 { return }
    let code = errno
    let parent = Paths.folder(of: path)
    guard code == ENOENT, parent != path else { throw failure(path, "the folder cannot be created", code) }
    try createFolder(parent)
    if FileName.withPath(path, { mkdir($0, 0o777) }) != 0, errno != EEXIST {
      throw failure(path, "the folder cannot be created", errno)
    }
  }

  static func link(_ path: String, to target: String) throws(DataError) {
    let isLinked = FileName.withPath(target) { target in FileName.withPath(path) { symlink(target, $0) } } == 0
    if !isLinked { throw failure(path, "the link cannot be made", errno) }
  }

  /// Writes a file of text. The folder as a whole is what becomes visible at once, so files are not synced one by one.
  static func write(_ text: String, to path: String) throws(DataError) {
    guard let file = FileName.withPath(path, { fopen($0, "w") }) else {
      throw failure(path, "cannot be written", errno)
    }
    var text = text
    let count = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) }
    let code = errno
    guard fclose(file) == 0, count == text.utf8.count else { throw failure(path, "cannot be written", code) }
  }

  private static func failure(_ path: String, _ what: String, _ code: Int32) -> DataError {
    DataError(
      path: path, what: "\(what): \(String(cString: strerror(code)))",
      remedy: "check the path, its permissions and space",
      isOfTheMachine: [ENOSPC, EDQUOT, EIO].contains(code), isOutput: true)
  }
}
