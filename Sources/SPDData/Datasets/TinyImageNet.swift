import SPDFormats

/// Tiny ImageNet's folder: 200 classes of 500 training images, 50 validation images each, 64×64.
///
/// `wnids.txt` lists the classes in class-index order; `words.txt` names them; `train/<wnid>/images` contains the
/// training images; `val/val_annotations.txt` gives the classes of `val/images`. Common variants are supported, too:
/// validation images sorted into `val/<wnid>` or `val/<wnid>/images`, and `train/<wnid>` without `images`.
enum TinyImageNet {
  private static let remedy = "unpack tiny-imagenet-200.zip again"

  static func splits(in folder: String) throws(DataError) -> DatasetSplits {
    let wnidsPath = "\(folder)/wnids.txt"
    let wnids = try lines(of: wnidsPath)
    guard !wnids.isEmpty, Set(wnids).count == wnids.count else {
      throw DataError(
        path: wnidsPath, what: wnids.isEmpty ? "lists no classes" : "lists a class twice", remedy: remedy)
    }
    let classNames = try names(of: wnids, in: folder).map(printable)

    var warnings: [String] = []
    var training: [ImageFiles.File] = []
    for (label, wnid) in wnids.enumerated() {
      let found = try FoundImages(in: "\(folder)/train/\(wnid)")
      guard !found.paths.isEmpty else {
        throw DataError(path: "\(folder)/train/\(wnid)", what: "holds no images", remedy: remedy)
      }
      training += found.paths.map { ImageFiles.File(path: $0, label: Int32(label)) }
      warnings += found.warnings
    }
    return DatasetSplits(
      training: ImageFiles(name: "Tiny ImageNet, training", classNames: classNames, files: training),
      validation: ImageFiles(
        name: "Tiny ImageNet, validation", classNames: classNames,
        files: try validationFiles(folder, wnids, &warnings)),
      warnings: warnings)
  }

  private static func validationFiles(
    _ folder: String, _ wnids: [String], _ warnings: inout [String]
  ) throws(DataError) -> [ImageFiles.File] {
    let listing = try FolderListing("\(folder)/val")
    let sorted = Set(wnids.map { Array($0.utf8) })
    if listing.folders.contains(where: { sorted.contains(Array($0.utf8)) }) {
      return try sortedFiles(listing, wnids, &warnings)
    }
    return try annotatedFiles(folder, wnids)
  }

  /// Lists the images of `val/<wnid>`.
  private static func sortedFiles(
    _ listing: FolderListing, _ wnids: [String], _ warnings: inout [String]
  ) throws(DataError) -> [ImageFiles.File] {
    try listing.requireFolders()
    let labels = Dictionary(uniqueKeysWithValues: zip(wnids, (0 as Int32)...))
    var files: [ImageFiles.File] = []
    var empty = wnids.count
    for name in listing.folders {
      let found = try FoundImages(in: "\(listing.path)/\(name)")
      warnings += found.warnings
      guard let label = labels[name] else {
        // The folder that the images were moved out of may remain, with or without images.
        if found.paths.isEmpty { continue }
        throw DataError(
          path: "\(listing.path)/\(name)", what: "holds images and is no class of wnids.txt",
          remedy: "sort all of them into the class folders, or none")
      }
      files += found.paths.map { ImageFiles.File(path: $0, label: label) }
      if !found.paths.isEmpty { empty -= 1 }
    }
    guard !files.isEmpty else {
      throw DataError(path: listing.path, what: "has class folders without images", remedy: remedy)
    }
    if empty > 0 { warnings.append(printable("\(listing.path) lacks \(empty) of the \(wnids.count) classes")) }
    return files
  }

  /// Parses lines of tab-separated file, wnid, and left, top, right, bottom of a box.
  private static func annotatedFiles(_ folder: String, _ wnids: [String]) throws(DataError) -> [ImageFiles.File] {
    let path = "\(folder)/val/val_annotations.txt"
    let labels = Dictionary(uniqueKeysWithValues: zip(wnids, (0 as Int32)...))
    let images = try FolderListing("\(folder)/val/images")
    let present = Set(images.files.map { Array($0.utf8) })
    var files: [ImageFiles.File] = []
    var missing: [String] = []
    for (number, line) in try lines(of: path).enumerated() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count >= 2, !fields[0].isEmpty else {
        throw DataError(
          path: path, what: "line \(number + 1) is not a file and a class with a tab between them", remedy: remedy)
      }
      guard let label = labels[String(fields[1])] else {
        throw DataError(
          path: path, what: "line \(number + 1) names the class \(fields[1]), which wnids.txt does not list",
          remedy: remedy)
      }
      if !present.contains(Array(fields[0].utf8)) { missing.append(String(fields[0])) }
      files.append(ImageFiles.File(path: "\(images.path)/\(fields[0])", label: label))
    }
    guard !files.isEmpty else { throw DataError(path: path, what: "lists no images", remedy: remedy) }
    if let first = missing.first {
      throw DataError(
        path: "\(images.path)/\(first)",
        what: "is not there, although val_annotations.txt lists it"
          + (missing.count > 1 ? "; \(missing.count) of \(files.count) are missing" : ""),
        remedy: remedy)
    }
    return files
  }

  /// Reads the names in `words.txt` (wnid, tab, synonyms); where the file or a line is missing, the wnid is the name.
  private static func names(of wnids: [String], in folder: String) throws(DataError) -> [String] {
    let path = "\(folder)/words.txt"
    guard PathKind(of: path) == .file else { return wnids }
    let wanted = Set(wnids)
    var names: [String: String] = [:]
    for line in try lines(of: path) {
      guard let tab = line.firstIndex(of: "\t"), wanted.contains(String(line[..<tab])) else { continue }
      names[String(line[..<tab])] = String(line[line.index(after: tab)...])
    }
    return wnids.map { names[$0] ?? $0 }
  }

  /// The non-empty lines; file names in them may be any bytes.
  private static func lines(of path: String) throws(DataError) -> [String] {
    try readDataFile(path).split { $0 == 0x0a || $0 == 0x0d }.map(FileName.string)
  }
}
