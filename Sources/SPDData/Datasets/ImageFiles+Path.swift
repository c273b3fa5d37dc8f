import SPDVision

/// Images that are no data set: what a command is given.
extension ImageFiles {
  /// The paths of the images in a folder and in the folders in it, as data sets have them.
  ///
  /// - Parameter warn: gets what was left out although it may have been meant.
  package static func paths(in folder: String, warn: (String) -> Void) throws(DataError) -> [String] {
    let found = try FoundImages(in: folder)
    found.warnings.forEach(warn)
    return found.paths
  }

  /// Reads an image of any format that data sets may have.
  ///
  /// - Parameter warn: gets what is wrong with an image that is read all the same.
  package static func read(_ path: String, warn: (String) -> Void) throws(DataError) -> Image {
    if hasExtension(path, ["ppm", "pgm"]) {
      return try ImageFiles(name: path, classNames: [], files: [File(path: path, label: 0)]).image(0)
    }
    do { return try Image(contentsOf: path) { warn($0.description) } } catch { throw DataError(error) }
  }
}
