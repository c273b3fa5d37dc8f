import SPDVision

/// Images that are no data set: what a command is given.
extension ImageFiles {
  /// The paths of the images in a folder and in the folders in it, as data sets have them.
  package static func paths(in folder: String) throws(DataError) -> [String] { try imageFiles(in: folder) }

  /// Reads an image of any format that data sets may have.
  package static func read(_ path: String) throws(DataError) -> Image {
    try ImageFiles(name: path, classNames: [], files: [File(path: path, label: 0)]).image(0)
  }
}
