import SPDVision

/// Images outside data sets, as given to a command.
extension ImageFiles {
  /// Lists the images in a folder, searched recursively, as for data sets.
  ///
  /// - Parameter warn: called for what was skipped although it may have been meant.
  package static func paths(in folder: String, warn: (String) -> Void) throws(DataError) -> [String] {
    let found = try FoundImages(in: folder)
    found.warnings.forEach(warn)
    return found.paths
  }

  /// Reads an image of any format that data sets support.
  ///
  /// - Parameter warn: called for faults that do not prevent reading.
  package static func read(_ path: String, warn: (String) -> Void) throws(DataError) -> Image {
    if hasExtension(path, ["ppm", "pgm"]) {
      return try ImageFiles(name: path, classNames: [], files: [File(path: path, label: 0)]).image(0)
    }
    do { return try Image(contentsOf: path) { warn($0.description) } } catch { throw DataError(error) }
  }
}
