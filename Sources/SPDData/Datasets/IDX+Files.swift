import SPDFormats

/// The names of the four files of a data set in IDX format.
struct IDXFileNames: Equatable {
  let trainingImages, trainingLabels, validationImages, validationLabels: String

  /// Finds the files in a folder that holds images for training; nil for any other folder.
  ///
  /// The files are named `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, `train-labels`, `t10k-images` and
  /// `t10k-labels` alike, with or without `.gz`. An unpacked file is preferred to a packed one.
  ///
  /// - Throws: `DataError` where one of the other three files is missing.
  init?(_ listing: FolderListing) throws(DataError) {
    let files = Set(listing.files)
    guard let first = Self.name("train-images", rank: 3, in: files) else { return nil }
    func other(_ stem: String, rank: Int) throws(DataError) -> String {
      if let name = Self.name(stem, rank: rank, in: files) { return name }
      throw DataError(
        path: listing.path, what: "holds \(first), but no \(stem)-idx\(rank)-ubyte or \(stem)-idx\(rank)-ubyte.gz",
        remedy: "add it")
    }
    trainingImages = first
    trainingLabels = try other("train-labels", rank: 1)
    validationImages = try other("t10k-images", rank: 3)
    validationLabels = try other("t10k-labels", rank: 1)
  }

  private static func name(_ stem: String, rank: Int, in files: Set<String>) -> String? {
    ["-", "."].flatMap { ["\(stem)\($0)idx\(rank)-ubyte", "\(stem)\($0)idx\(rank)-ubyte.gz"] }
      .sorted { !hasExtension($0, ["gz"]) && hasExtension($1, ["gz"]) }
      .first(where: files.contains)
  }
}

extension IDX {
  /// The data set that `idx:FOLDER` or `idx:FOLDER:SIDE` names; nil for any other name.
  ///
  /// Digits after the last colon are the side, so a folder whose own name ends so is named with a slash at its end.
  static func splits(named name: String) throws(DataError) -> DatasetSplits? {
    let prefix = "idx:"
    guard name.hasPrefix(prefix) else { return nil }
    var folder = String(name.dropFirst(prefix.count))
    var side: Int?
    if let colon = folder.lastIndex(of: ":"), let number = Int(folder[folder.index(after: colon)...]) {
      side = number
      folder = String(folder[..<colon])
    }
    if folder.utf8.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    guard !folder.isEmpty else {
      throw DataError(path: name, what: "names no folder", remedy: "say idx:FOLDER, or idx:FOLDER:14 for 14×14 images")
    }
    let listing = try FolderListing(folder)
    guard let files = try IDXFileNames(listing) else {
      throw DataError(
        path: folder, what: "has no train-images-idx3-ubyte or train-images-idx3-ubyte.gz; \(listing.summary)",
        remedy: "name the folder that holds the IDX files")
    }
    return try splits(files, in: folder, side: side)
  }

  /// Largest side of a stored image in pixels.
  private static let maximumSide = 4096

  /// Reads both splits.
  ///
  /// - Parameter side: side of the images before padding; nil: as stored.
  static func splits(_ files: IDXFileNames, in folder: String, side: Int?) throws(DataError) -> DatasetSplits {
    let classNames = try classNames(in: folder)
    let title = (folder.split(separator: "/").last.map(String.init) ?? folder) + (side.map { " at \($0)×\($0)" } ?? "")
    func read(_ images: String, _ labels: String, _ split: String) throws(DataError) -> IDX {
      let images = try IDXArray(contentsOf: "\(folder)/\(images)", rank: 3)
      let labels = try IDXArray(contentsOf: "\(folder)/\(labels)", rank: 1)
      let factor = try factor(images, side: side)
      try check(labels, of: images, classes: classNames.count)
      return IDX(name: "\(title), \(split)", classNames: classNames, images: images, labels: labels, factor: factor)
    }
    return DatasetSplits(
      training: try read(files.trainingImages, files.trainingLabels, "training"),
      validation: try read(files.validationImages, files.validationLabels, "validation"))
  }

  /// How many pixels of a row become one.
  private static func factor(_ images: IDXArray, side: Int?) throws(DataError) -> Int {
    let (rows, columns) = (images.dimensions[1], images.dimensions[2])
    guard (1...maximumSide).contains(rows), (1...maximumSide).contains(columns) else {
      throw DataError(
        path: images.path, what: "has images of \(columns)×\(rows) pixels; sides are 1 to \(maximumSide)",
        remedy: "check that it is the file of images")
    }
    guard let side else { return 1 }
    guard rows == columns, side > 0, rows % side == 0 else {
      let sides = rows == columns ? (1...rows).filter { rows % $0 == 0 }.map(String.init) : []
      throw DataError(
        path: images.path, what: "has images of \(columns)×\(rows) pixels, which are not reduced to \(side)×\(side)",
        remedy: sides.isEmpty ? "name the folder without a side" : "sides are \(sides.joined(separator: ", "))")
    }
    return rows / side
  }

  private static func check(_ labels: IDXArray, of images: IDXArray, classes: Int) throws(DataError) {
    let count = images.dimensions[0]
    guard count == labels.dimensions[0] else {
      throw DataError(
        path: labels.path, what: "has \(labels.dimensions[0]) labels for \(count) images of \(images.path)",
        remedy: "download both files again")
    }
    guard count > 0 else {
      throw DataError(path: images.path, what: "has no images", remedy: "download the data set again")
    }
    if let index = labels.bytes[labels.start...].firstIndex(where: { $0 >= classes }) {
      throw DataError(
        path: labels.path,
        what: "image \(index - labels.start) has the label \(labels.bytes[index]); the classes are 0 to \(classes - 1)",
        remedy: "write the name of each class as a line of \(classesFile) beside the file")
    }
  }

  /// The file that names the classes, one a line.
  private static let classesFile = "classes.txt"

  /// The names in `classes.txt`; without the file "0" to "9", because IDX files have no names.
  private static func classNames(in folder: String) throws(DataError) -> [String] {
    let path = "\(folder)/\(classesFile)"
    guard PathKind(of: path) != nil else { return (0..<10).map(String.init) }
    let bytes = try translatingErrors(path) { try readWholeFile(path, limit: 1 << 20) }
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    guard (2...256).contains(lines.count) else {
      throw DataError(
        path: path, what: "names \(lines.count) classes; labels of one byte have 2 to 256",
        remedy: "write one name a line")
    }
    return lines
  }
}
