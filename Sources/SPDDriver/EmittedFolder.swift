import Foundation

/// A folder whose files are replaced together: they are written to a temporary folder and moved at the end, so that a
/// failure leaves the old files unchanged.
package struct EmittedFolder {
  /// The path as given by the user.
  package let path: String
  private let root: URL
  private let aside: URL
  /// Files relative to the folder, in the order of creation.
  package private(set) var files: [String] = []

  /// Writes the files in `body`, then moves them into place.
  package static func write(_ path: String, _ body: (inout EmittedFolder) async throws -> Void) async throws -> [String]
  {
    let root = URL(fileURLWithPath: path)
    let isNew = !FileManager.default.fileExists(atPath: root.path)
    try Files.createFolder(root)
    do {
      return try await Files.withTemporaryFolder(beside: root.appendingPathComponent("spdc")) { aside in
        var folder = EmittedFolder(path: path, root: root, aside: aside)
        try await body(&folder)
        try folder.moveIntoPlace()
        return folder.files
      }
    } catch {
      // Removes the folder only if it is empty.
      if isNew { rmdir(root.path) }
      throw error
    }
  }

  private init(path: String, root: URL, aside: URL) {
    self.path = path
    self.root = root
    self.aside = aside
  }

  /// Returns the temporary path of a file.
  package func place(_ name: String) -> String { aside.appendingPathComponent(name).path }

  package mutating func put(_ name: String, _ text: String) throws {
    var text = text
    try text.withUTF8 { try put(name, UnsafeRawBufferPointer($0)) }
  }

  package mutating func put(_ name: String, _ data: Data) throws { try data.withUnsafeBytes { try put(name, $0) } }

  package mutating func put(_ name: String, _ bytes: UnsafeRawBufferPointer) throws {
    try Files.createFolder(aside.appendingPathComponent(name).deletingLastPathComponent())
    do {
      try Files.write(bytes, to: place(name))
    } catch let failure as Failure {
      // Report the path known to the user.
      throw Failure(failure.code, failure.message.replacingOccurrences(of: place(name), with: "\(path)/\(name)"))
    }
    files.append(name)
  }

  /// Adds a file that another program wrote to its `place`.
  package mutating func add(_ name: String) { files.append(name) }

  private func moveIntoPlace() throws {
    for name in files {
      var isFolder: ObjCBool = false
      let target = root.appendingPathComponent(name)
      if FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder), isFolder.boolValue {
        throw Failure(.cannotWrite, "\(path)/\(name): \(String(cString: strerror(EISDIR)))")
      }
      try Files.createFolder(target.deletingLastPathComponent())
    }
    try Interruption.shielded {
      for name in files where rename(place(name), root.appendingPathComponent(name).path) != 0 {
        throw Failure(.cannotWrite, "\(path)/\(name): \(String(cString: strerror(errno)))")
      }
    }
  }
}
