import SPDFormats

/// What lies in a folder, in the same order on every machine.
struct FolderListing {
  let path: String
  let folders: [String]
  /// Everything else. What cannot be read as a file fails where it is read, and is reported there.
  let files: [String]
  /// Those of `files` that are none: links to nowhere, FIFOs, devices, what the system does not let us look at.
  let faults: [(name: String, kind: PathKind)]

  /// Names that begin with a dot are left out, and what macOS puts into archives.
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
      case nil: break  // gone since
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

  /// Where folders are expected: something that may be a folder and cannot be entered is an error, so that it does not get
  /// lost without a word.
  func requireFolders() throws(DataError) {
    for (name, kind) in faults where !hasExtension(name, ImageFiles.allExtensions) {
      if case .special = kind { continue }
      throw DataError(
        path: "\(path)/\(name)", what: kind.fault ?? "cannot be entered",
        remedy: "remove it, or bring back what it leads to")
    }
  }
}

/// The images in a folder and in the folders in it.
struct FoundImages {
  /// Sorted within each folder.
  private(set) var paths: [String] = []
  /// What was left out although it may have been meant.
  private(set) var warnings: [String] = []

  private static let maximumDepth = 16

  init(in folder: String) throws(DataError) { try look(in: FolderListing(folder), depth: 0) }

  private mutating func look(in listing: FolderListing, depth: Int) throws(DataError) {
    guard depth < Self.maximumDepth else {
      throw DataError(
        path: listing.path, what: "lies more than \(Self.maximumDepth) folders deep",
        remedy: "remove the link that leads back to its own folder")
    }
    paths += listing.files.filter { hasExtension($0, ImageFiles.allExtensions) }.map { "\(listing.path)/\($0)" }
    for (name, kind) in listing.faults where !hasExtension(name, ImageFiles.allExtensions) {
      warnings.append(printable("\(listing.path)/\(name) \(kind.fault ?? "cannot be read"); left out"))
    }
    for inner in listing.folders { try look(in: FolderListing("\(listing.path)/\(inner)"), depth: depth + 1) }
  }
}
