import SPDData
import SPDFormats

/// Paths of a data set, and what they lead to.
///
/// By Unicode scalars and bytes throughout: a name may begin with a combining character, which as a `Character` would
/// merge with the slash before it.
enum Paths {
  /// A path relative to a folder; an absolute path stays as it is.
  static func joined(_ folder: String, _ path: String) -> String {
    var path = path
    while path.utf8.starts(with: "./".utf8) { path = String(path.unicodeScalars.dropFirst(2)) }
    if folder.isEmpty || path.utf8.first == UInt8(ascii: "/") { return path }
    return folder.utf8.last == UInt8(ascii: "/") ? folder + path : "\(folder)/\(path)"
  }

  /// The folder of a path without trailing slash; empty for a path without one.
  static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
    return slash == path.utf8.startIndex ? "/" : String(path.unicodeScalars[..<slash])
  }

  static func lastComponent(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path.unicodeScalars[path.utf8.index(after: slash)...])
  }

  static func withoutTrailingSlash(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.unicodeScalars.removeLast() }
    return path
  }

  /// The path without the extension of its last component.
  static func withoutExtension(_ path: String) -> String {
    guard let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")) else { return path }
    if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > dot { return path }
    return String(path.unicodeScalars[..<dot])
  }

  /// Whether a path ends in one of the extensions, in any case.
  static func hasExtension(_ path: String, _ extensions: [String]) -> Bool {
    guard let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
    return extensions.contains(String(path.unicodeScalars[path.utf8.index(after: dot)...]).lowercased())
  }

  /// The label file of an image: the last `/images/` becomes `/labels/`, the extension `.txt`. An image outside a folder
  /// `images` has its labels beside it.
  static func labels(of image: String) -> String {
    let pattern = Array("/images/".utf8)
    // A relative path may begin with the folder itself.
    let bytes = [UInt8(ascii: "/")] + Array(image.utf8)
    var start = bytes.count - pattern.count
    while start >= 0 {
      if bytes[start] == pattern[0], bytes[start..<start + pattern.count].elementsEqual(pattern) {
        let swapped = bytes[..<start] + Array("/labels/".utf8) + bytes[(start + pattern.count)...]
        return withoutExtension(String(decoding: swapped.dropFirst(), as: UTF8.self)) + ".txt"
      }
      start -= 1
    }
    return withoutExtension(image) + ".txt"
  }

  /// The names in a folder without hidden ones and what macOS adds to archives, in byte order.
  static func listing(_ folder: String) throws(DataError) -> [String] {
    do {
      return try namesInFolder(folder).filter { $0.utf8.first != UInt8(ascii: ".") && $0 != "__MACOSX" }
    } catch {
      throw Paths.error(error, folder)
    }
  }

  /// Reads a regular file of at most `limit` bytes.
  static func bytes(_ path: String, limit: Int) throws(DataError) -> [UInt8] {
    do { return try readWholeFile(path, limit: limit) } catch { throw Paths.error(error, path) }
  }

  /// The lines of a text without blank ones and blanks around them; file names in them may be any bytes.
  static func lines(of path: String) throws(DataError) -> [String] {
    let bytes = try Paths.bytes(path, limit: 1 << 30)
    let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    return content.split { $0 == 0x0A || $0 == 0x0D }.compactMap { line in
      var line = line.drop(while: isBlank)
      while let last = line.last, isBlank(last) { line.removeLast() }
      return line.isEmpty ? nil : FileName.string(line)
    }
  }

  /// Translates an error of the formats module.
  static func error(_ error: any Error, _ path: String) -> DataError {
    if let error = error as? DataError { return error }
    guard let error = error as? FormatError else {
      return DataError(path: path, what: "cannot be read (\(error))", remedy: "check the path and its permissions")
    }
    let remedy = error.remedy.map { $0.prefix(1).lowercased() + $0.dropFirst() }
    return DataError(
      path: error.path, what: error.problem,
      remedy: error.isOfTheMachine ? "check the disk and the machine" : remedy ?? "check the path and its permissions",
      isOfTheMachine: error.isOfTheMachine)
  }
}
