import Foundation
import SPDData
import SPDFormats

/// The images of a split: what its folders and lists name.
struct ImageList {
  /// In byte order, each path once.
  private(set) var paths: [String] = []
  /// What was left out although it may have been meant, safe to print.
  private(set) var notes: [String] = []

  /// Extensions of images: those that YOLOv5 takes, and others. Files of formats that are not decoded are listed so that each
  /// is reported, not skipped silently.
  static let extensions = [
    "bmp", "jpg", "jpeg", "png", "tif", "tiff", "dng", "webp", "mpo", "gif", "jp2", "avif", "heic", "heif", "jxl",
  ]
  private static let maximumDepth = 16

  /// - Parameters:
  ///   - sources: folders, searched recursively, and lists of images.
  ///   - root: what relative paths in lists are tried against if they do not lead anywhere from the list's folder.
  init(_ sources: [String], root: String) throws(DataError) {
    var visited = Set<[UInt64]>()
    for source in sources {
      if PathKind(of: source) == .folder {
        try search(source, depth: 0, &visited)
      } else if Paths.hasExtension(source, ["txt"]) {
        try read(source, root)
      } else {
        throw DataError(
          path: source, what: "is neither a folder of images nor a list of them",
          remedy: "name a folder, or a .txt with the path of an image on each line")
      }
    }
    let count = paths.count
    sortByBytes()
    if paths.count < count { notes.append("\(count - paths.count) images are named more than once; each is used once") }
    guard !paths.isEmpty else {
      throw DataError(
        path: sources.joined(separator: ", "), what: "has no images",
        remedy: "put images there (\(Self.extensions.map { ".\($0)" }.joined(separator: " "))), or correct the path")
    }
  }

  private mutating func search(_ folder: String, depth: Int, _ visited: inout Set<[UInt64]>) throws(DataError) {
    var status = stat()
    guard FileName.withPath(folder, { stat($0, &status) }) == 0 else {
      notes.append(printable("\(folder) cannot be inspected; left out"))
      return
    }
    // A link may lead back to a folder that contains it.
    guard visited.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted else {
      notes.append(printable("\(folder) is a folder that was searched under another name; left out"))
      return
    }
    guard depth <= Self.maximumDepth else {
      throw DataError(
        path: folder, what: "is more than \(Self.maximumDepth) folders deep", remedy: "keep images in fewer folders")
    }
    for name in try Paths.listing(folder) {
      let path = Paths.joined(folder, name)
      if Paths.hasExtension(name, Self.extensions) {
        paths.append(path)
      } else if PathKind(of: path) == .folder {
        try search(path, depth: depth + 1, &visited)
      }
    }
  }

  private mutating func read(_ list: String, _ root: String) throws(DataError) {
    let folder = Paths.folder(of: list)
    var others = 0
    for line in try Paths.lines(of: list) {
      guard Paths.hasExtension(line, Self.extensions) else {
        others += 1
        continue
      }
      let path = Paths.joined(folder, line)
      let other = Paths.joined(root, line)
      // With `./` a path is relative to the list, as in YOLOv5's own lists.
      let isFixed = line.utf8.starts(with: "./".utf8) || path == other
      paths.append(isFixed || PathKind(of: path) != nil || PathKind(of: other) == nil ? path : other)
    }
    if others > 0 { notes.append(printable("\(list): \(others) lines name no image; left out")) }
  }

  /// Sorts as the reference does and removes repetitions.
  private mutating func sortByBytes() {
    if paths.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } }) {
      paths.sort()
    } else {
      paths.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
    var unique: [String] = []
    unique.reserveCapacity(paths.count)
    for path in paths where unique.last.map({ !$0.utf8.elementsEqual(path.utf8) }) ?? true { unique.append(path) }
    paths = unique
  }
}
