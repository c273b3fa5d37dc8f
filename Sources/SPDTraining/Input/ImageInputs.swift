import SPDData
import SPDDriver
import SPDFormats

/// The images and videos that arguments name, in their order: files, the contents of folders, patterns, lists of paths, and
/// `-` for paths on standard input.
public struct ImageInputs: Sendable {
  /// A file, or an argument that names none.
  public struct Entry: Sendable {
    public let path: String
    /// The file's path relative to the argument, for the names of outputs.
    public let name: String
    /// Why the argument names no image, if known before reading.
    public let failure: Failure?

    init(path: String, name: String, failure: Failure? = nil) {
      (self.path, self.name, self.failure) = (path, name, failure)
    }

    /// The path for JSON: unchanged if it is UTF-8, else escaped.
    public var text: String { String(validating: FileName.bytes(path), as: UTF8.self) ?? printable(path) }
  }

  public private(set) var entries: [Entry] = []

  /// Finds the files, without reading any of them; what cannot be found becomes an entry with a ``Entry/failure``.
  ///
  /// - Parameter arguments: paths of images, videos and folders, patterns with `*`, `**`, `?` and `[…]`, lists (`.txt`) with one
  ///   of these per line, and `-`, which reads such lines from standard input to its end.
  public init(_ arguments: [String]) {
    for argument in arguments {
      if argument == "-" {
        addStandardInput()
      } else if case .file = PathKind(of: argument), hasExtension(argument, ["txt"]) {
        addList(argument)
      } else {
        add(argument)
      }
    }
  }

  /// Adds a file, a folder or a pattern.
  private mutating func add(_ argument: String) {
    switch PathKind(of: argument) {
    case nil:
      // A file may have a name that looks like a pattern.
      if FilePattern.isPattern(argument) { addMatches(argument) } else { fail(argument, .noInput, "no such image") }
    case .folder: addFolder(argument, prefix: nil)
    default: entries.append(Entry(path: argument, name: lastComponent(argument)))
    }
  }

  /// - Parameter prefix: what the names of outputs leave out of the paths; nil: the folder itself.
  private mutating func addFolder(_ argument: String, prefix: String?) {
    // A trailing slash would otherwise show in every message.
    let folder = argument.utf8.count > 1 && argument.hasSuffix("/") ? String(argument.dropLast()) : argument
    do {
      let paths = try ImageFiles.paths(in: folder, warn: Messages.warning)
      if paths.isEmpty { fail(argument, .noInput, "the folder contains no images") }
      entries += paths.map { Entry(path: $0, name: relative($0, to: prefix ?? folder)) }
    } catch {
      entries.append(Entry(path: argument, name: argument, failure: Failure(.noInput, error.description)))
    }
  }

  private mutating func addMatches(_ argument: String) {
    let pattern = FilePattern(argument)
    let paths = pattern.matches()
    if paths.isEmpty { fail(argument, .noInput, "no file matches this pattern") }
    // What a folder holds is taken with it.
    let folders = Set(paths.filter { PathKind(of: $0) == .folder }.map { Array($0.utf8) })
    func isInFolder(_ path: String) -> Bool {
      let bytes = Array(path.utf8)
      return bytes.indices.contains { bytes[$0] == UInt8(ascii: "/") && folders.contains(Array(bytes[..<$0])) }
    }
    for path in paths where !isInFolder(path) {
      if PathKind(of: path) == .folder {
        addFolder(path, prefix: pattern.folder)
      } else {
        entries.append(Entry(path: path, name: relative(path, to: pattern.folder)))
      }
    }
  }

  /// Adds what a list names, one per line: files, folders and patterns, relative to the list's folder if they are there,
  /// else to the current one.
  private mutating func addList(_ list: String) {
    do {
      let lines = try PathLines(contentsOf: list)
      if lines.paths.isEmpty { fail(list, .noInput, "the list names no images") }
      let slash = UInt8(ascii: "/")
      let folder = list.utf8.lastIndex(of: slash).map { String(list.unicodeScalars[...$0]) } ?? ""
      for (line, path) in lines.paths {
        addLine(path.utf8.first != slash && Self.isThere(folder + path) ? folder + path : path, "\(list):\(line)")
      }
    } catch {
      fail(list, Failure(error))
    }
  }

  private static func isThere(_ path: String) -> Bool {
    PathKind(of: path) != nil || FilePattern.isPattern(path) && !FilePattern(path).matches().isEmpty
  }

  /// Adds what the lines of standard input name, relative to the current folder.
  private mutating func addStandardInput() {
    do {
      let lines = try PathLines.standardInput()
      if lines.paths.isEmpty { fail("-", .noInput, "standard input names no images") }
      for (line, path) in lines.paths { addLine(path, "standard input:\(line)") }
    } catch {
      fail("-", Failure(error))
    }
  }

  private mutating func addLine(_ path: String, _ place: String) {
    guard !hasExtension(path, ["txt"]) else {
      return fail(path, Failure(.data, printable("\(place): \(path) is a list within a list; name its images instead")))
    }
    add(path)
  }

  private mutating func fail(_ path: String, _ code: Failure.Code, _ problem: String) {
    fail(path, Failure(code, printable("\(path): \(problem)")))
  }

  private mutating func fail(_ path: String, _ failure: Failure) {
    entries.append(Entry(path: path, name: path, failure: failure))
  }

  private func lastComponent(_ path: String) -> String {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    return slash.map { String(path.unicodeScalars[path.utf8.index(after: $0)...]) } ?? path
  }

  private func relative(_ path: String, to folder: String) -> String {
    String(path.unicodeScalars.dropFirst(folder.unicodeScalars.count).drop { $0 == "/" })
  }
}

extension ImageInputs.Entry {
  /// Whether the path has the extension of a video.
  public var isVideo: Bool {
    hasExtension(path, ["mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "wmv", "flv", "ts", "m2ts", "asf"])
  }

  /// Converts an error of this image.
  package func failure(_ error: any Error) -> Failure {
    var failure = Failure(error)
    if error is OutputNotFinite { failure.message = "\(printable(path)): \(failure.message)" }
    return failure
  }
}

/// Whether a path ends in one of the extensions, in any case; by bytes, since names may begin with a combining character.
func hasExtension(_ path: String, _ extensions: [String]) -> Bool {
  guard let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
  return extensions.contains(String(path.unicodeScalars[path.utf8.index(after: dot)...]).lowercased())
}
