import SPDFormats
import SPDVision

/// A data set of individual image files.
public struct ImageFiles: ImageDataset {
  public let name: String
  public let classNames: [String]
  public let files: [File]

  /// A file and its class.
  public struct File: Sendable, Equatable {
    public let path: String
    public let label: Int32
  }

  public var count: Int { files.count }
  public func annotation(_ index: Int) -> Annotation { .classIndex(files[index].label) }
  public func origin(_ index: Int) -> String { files[index].path }

  public func image(_ index: Int) throws(DataError) -> Image {
    let path = files[index].path
    let bytes: [UInt8]
    do throws(ImageError) {
      guard hasExtension(path, ["ppm", "pgm"]) else { return try Image(contentsOf: path) }
      bytes = try readImageFile(path)
    } catch {
      // Where the whole folder is missing, as with an unmounted disk, the image itself is not broken.
      let folder = parentFolder(of: path)
      if !folder.isEmpty, PathKind(of: folder) == nil {
        throw DataError(path: folder, what: "the folder is missing", remedy: "restore it", isOfTheMachine: true)
      }
      throw DataError(error)
    }
    return try decodeNetpbm(bytes, path: path)
  }

  /// Extensions of supported formats, in any case.
  static let extensions = ["jpg", "jpeg", "png", "bmp", "ppm", "pgm"]
  /// Extensions of unsupported formats: such images are listed, so that they are reported as broken and not skipped
  /// silently.
  private static let foreignExtensions = ["webp", "gif", "tif", "tiff", "avif", "heic", "heif", "jp2", "jxl"]
  static let allExtensions = extensions + foreignExtensions
}

// By bytes, since a name may begin with a combining character, which would merge with what is before it.

/// Whether a path ends in one of the extensions, in any case.
func hasExtension(_ path: String, _ extensions: [String]) -> Bool {
  guard let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
  return extensions.contains(String(path.unicodeScalars[path.utf8.index(after: dot)...]).lowercased())
}

/// The folder of a path, without trailing slash; empty for a path without one.
private func parentFolder(of path: String) -> String {
  path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path.unicodeScalars[..<$0]) } ?? ""
}
