import Foundation
import SPDFormats
import SPDRuntime

/// File access with errors converted to `Failure`, and the folders of spdc.
package enum Files {
  /// Folder of this executable, links resolved.
  package static let executableFolder = Platform.executable.deletingLastPathComponent()

  /// Returns a cache folder for compiled model files and modules. Its content may be deleted at any time.
  package static func cache(_ kind: String) throws -> URL {
    let folder = cacheRoot().appendingPathComponent(kind)
    try hintingAtCache { try createFolder(folder) }
    return folder
  }

  package static func cacheRoot() -> URL {
    let environment = ProcessInfo.processInfo.environment
    func path(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
    if let own = path("SPDC_CACHE") { return URL(fileURLWithPath: own) }
    if let xdg = path("XDG_CACHE_HOME") { return URL(fileURLWithPath: xdg).appendingPathComponent("spdc") }
    // HOME takes precedence over the user database.
    return URL(fileURLWithPath: path("HOME") ?? NSHomeDirectory()).appendingPathComponent(".cache/spdc")
  }

  package static let cacheHint = "Compiled code is cached there; set SPDC_CACHE to use another folder."

  /// Runs code that writes to the cache. If it fails, the message explains how to move the cache.
  package static func hintingAtCache<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let failure as Failure { throw failure.hintingAtCache }
  }

  package static func hintingAtCache<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let failure as Failure { throw failure.hintingAtCache }
  }

  package static func createFolder(_ folder: URL) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      // Foundation hides errno: retry to obtain it.
      let why = mkdir(folder.path, 0o777) == 0 ? reason(error) : String(cString: strerror(errno))
      throw Failure(.cannotWrite, "\(folder.path): the folder cannot be created: \(why)")
    }
  }

  /// Creates a folder beside `sibling`, and removes it after `body` in any case.
  package static func withTemporaryFolder<Result>(
    beside sibling: URL, _ body: (URL) async throws -> Result
  ) async throws -> Result {
    let folder = sibling.deletingLastPathComponent()
      .appendingPathComponent(".\(sibling.lastPathComponent).\(UUID().uuidString.prefix(8))")
    try createFolder(folder)
    return try await Interruption.temporary(folder.path) { try await body(folder) }
  }

  /// Refuses an output that is one of the inputs, by whatever path.
  ///
  /// - Parameter option: what names the output, for the message.
  package static func require(_ output: String, of option: String, isNoneOf inputs: some Sequence<String>) throws {
    func place(_ path: String) -> String {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    // What is not there yet is no input; to resolve the links of many inputs takes its time.
    guard PathKind(of: output) != nil else { return }
    let target = place(output)
    for input in inputs where place(input) == target {
      throw Failure(.usage, "\(option) \(output) would overwrite the input \(printable(input)); give another file")
    }
  }

  /// Writes a file atomically.
  package static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    try writing { try writeAtomically(to: path) { try $0.write(bytes) } }
  }

  /// Runs code that writes a file. Its errors become `.cannotWrite`, and signals are deferred.
  package static func writing(_ body: () throws -> Void) throws {
    do {
      try Interruption.shielded(body)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.cannotWrite, "\(error)")
    }
  }

  package static func write(_ text: String, to path: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0), to: path) }
  }

  package static func write(_ data: Data, to path: String) throws {
    try data.withUnsafeBytes { try write($0, to: path) }
  }

  package static func read(_ path: String) throws -> Data {
    guard PathKind(of: path) != nil else {
      throw Failure(.noInput, printable("\(path): no such file"))
    }
    do {
      return Data(try readWholeFile(path))
    } catch {
      throw Failure(.noInput, "\(error)")
    }
  }

  private static func reason(_ error: any Error) -> String {
    if let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError, posix.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(posix.code)))
    }
    return (error as NSError).localizedDescription
  }
}

extension Failure {
  fileprivate var hintingAtCache: Failure {
    guard code == .cannotWrite, message.contains(Files.cacheRoot().path), !message.contains("SPDC_CACHE") else {
      return self
    }
    return Failure(code, "\(message)\n  \(Files.cacheHint)")
  }
}
