import SPDFormats

/// The contents of a folder, in the same order on every machine.
struct FolderListing {
  let path: String
  let folders: [String]
  /// Everything but folders. What cannot be read as a file fails when it is read, and is reported then.
  let files: [String]
  /// Those of `files` that are not regular: broken links, FIFOs, devices, inaccessible files.
  let faults: [(name: String, kind: PathKind)]

  /// Lists a folder without hidden files and what macOS adds to archives.
  init(_ path: String) throws(DataError) {
    let names: [String]
    do {
      names = try namesInFolder(path)
    } catch {
      throw DataError(
        path: path, what: PathKind(of: path) == nil ? "there is no such folder" : "the folder cannot be read",
        remedy: "check the path and its permissions")
    }
    var folders: [String] = []
    var files: [String] = []
    var faults: [(name: String, kind: PathKind)] = []
    for name in names where name.utf8.first != UInt8(ascii: ".") && name != "__MACOSX" {
      switch PathKind(of: "\(path)/\(name)") {
      case .folder: folders.append(name)
      case .file: files.append(name)
      case .some(let kind):
        files.append(name)
        faults.append((name, kind))
      case nil: break  // removed meanwhile
      }
    }
    self.path = path
    self.folders = folders
    self.files = files
    self.faults = faults
  }

  /// The first names, for messages.
  var summary: String {
    let names = folders.map { $0 + "/" } + files
    if names.isEmpty { return "the folder is empty" }
    return "found " + names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }

  /// Throws for an inaccessible entry where folders are expected: it may be a folder, which must not be skipped
  /// silently.
  func requireFolders() throws(DataError) {
    for (name, kind) in faults where !hasExtension(name, ImageFiles.allExtensions) {
      if case .special = kind { continue }
      throw DataError(
        path: "\(path)/\(name)", what: kind.fault ?? "cannot be entered",
        remedy: "remove it, or restore its target")
    }
  }
}

/// The images in a folder, searched recursively.
struct FoundImages {
  /// Sorted within each folder.
  private(set) var paths: [String] = []
  /// What was skipped although it may have been meant.
  private(set) var warnings: [String] = []

  private static let maximumDepth = 16

  init(in folder: String) throws(DataError) { try look(in: FolderListing(folder), depth: 0) }

  private mutating func look(in listing: FolderListing, depth: Int) throws(DataError) {
    guard depth < Self.maximumDepth else {
      throw DataError(
        path: listing.path, what: "is more than \(Self.maximumDepth) folders deep",
        remedy: "remove the link that leads back to its own folder")
    }
    paths += listing.files.filter { hasExtension($0, ImageFiles.allExtensions) }.map { "\(listing.path)/\($0)" }
    for (name, kind) in listing.faults where !hasExtension(name, ImageFiles.allExtensions) {
      warnings.append(printable("\(listing.path)/\(name) \(kind.fault ?? "cannot be read"); left out"))
    }
    for inner in listing.folders { try look(in: FolderListing("\(listing.path)/\(inner)"), depth: depth + 1) }
  }
}
