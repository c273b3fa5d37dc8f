import SPDVision

/// Pictures in files of their own.
public struct PictureFiles: ImageDataset {
  public let name: String
  public let classNames: [String]
  public let files: [File]

  /// A file and the class that it shows.
  public struct File: Sendable, Equatable {
    public let path: String
    public let label: Int32
  }

  public var count: Int { files.count }
  public func annotation(_ index: Int) -> Annotation { .classIndex(files[index].label) }
  public func origin(_ index: Int) -> String { files[index].path }

  public func picture(_ index: Int) throws(DataError) -> Picture {
    let path = files[index].path
    if hasExtension(path, ["ppm", "pgm"]) { return try decodeNetpbm(try readDataFile(path), path: path) }
    do throws(PictureError) {
      return try Picture(contentsOf: path)
    } catch {
      throw DataError(error)
    }
  }

  /// Extensions of files that count as pictures, in any case.
  static let extensions = ["jpg", "jpeg", "png", "ppm", "pgm"]
}

/// Whether a path ends in one of the extensions, in any case.
func hasExtension(_ path: String, _ extensions: [String]) -> Bool {
  guard let dot = path.lastIndex(of: ".") else { return false }
  return extensions.contains(path[path.index(after: dot)...].lowercased())
}
