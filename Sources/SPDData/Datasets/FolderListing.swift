import Foundation

/// What lies in a folder, in the same order on every machine.
struct FolderListing {
  let path: String
  let folders: [String]
  let files: [String]

  enum Kind { case file, folder }

  /// What lies at a path; nil where nothing does. Links count as what they point to.
  static func kind(of path: String) -> Kind? {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    return isFolder.boolValue ? .folder : .file
  }

  /// Names that begin with a dot are left out.
  init(_ path: String) throws(DataError) {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      let problem = Self.kind(of: path) == nil ? "there is no such folder" : "the folder cannot be read"
      throw DataError(path: path, what: problem, remedy: "check the path and its permissions")
    }
    // By bytes, as Python sorts names, and not by the rules of a language.
    let sorted = names.filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    self.path = path
    folders = sorted.filter { Self.kind(of: "\(path)/\($0)") == .folder }
    // A link that leads nowhere is a file here, which fails where it is read and is reported there.
    files = sorted.filter { Self.kind(of: "\(path)/\($0)") != .folder }
  }

  /// The first names, for messages.
  var summary: String {
    let names = folders.map { $0 + "/" } + files
    if names.isEmpty { return "the folder is empty" }
    return "found " + names.prefix(6).joined(separator: ", ") + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}

/// The paths of the images in a folder and in the folders in it, sorted.
func imageFiles(in folder: String, depth: Int = 0) throws(DataError) -> [String] {
  guard depth < 16 else {
    throw DataError(
      path: folder, what: "lies more than 16 folders deep", remedy: "remove the link that leads back to its own folder")
  }
  let listing = try FolderListing(folder)
  let extensions = ImageFiles.extensions + ImageFiles.foreignExtensions
  var paths = listing.files.filter { hasExtension($0, extensions) }.map { "\(folder)/\($0)" }
  for inner in listing.folders { paths += try imageFiles(in: "\(folder)/\(inner)", depth: depth + 1) }
  return paths
}
