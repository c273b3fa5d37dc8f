/// Tiny ImageNet's folder: 200 classes of 500 training images, 50 validation images each, 64×64.
///
/// `wnids.txt` lists the classes, and its order is that of the class indices; `words.txt` names them;
/// `train/<wnid>/images` holds the training images; `val/val_annotations.txt` says what `val/images` shows.
enum TinyImageNet {
  static func splits(in folder: String) throws(DataError) -> DatasetSplits {
    let wnidsPath = "\(folder)/wnids.txt"
    let wnids = try lines(of: wnidsPath)
    guard !wnids.isEmpty, Set(wnids).count == wnids.count else {
      throw DataError(
        path: wnidsPath, what: wnids.isEmpty ? "lists no classes" : "lists a class twice",
        remedy: "unpack tiny-imagenet-200.zip again")
    }
    let classNames = try names(of: wnids, in: folder)

    var training: [ImageFiles.File] = []
    for (label, wnid) in wnids.enumerated() {
      let images = "\(folder)/train/\(wnid)/images"
      let files = try imageFiles(in: images)
      guard !files.isEmpty else {
        throw DataError(path: images, what: "holds no images", remedy: "unpack tiny-imagenet-200.zip again")
      }
      training += files.map { ImageFiles.File(path: $0, label: Int32(label)) }
    }
    return DatasetSplits(
      training: ImageFiles(name: "Tiny ImageNet, training", classNames: classNames, files: training),
      validation: ImageFiles(
        name: "Tiny ImageNet, validation", classNames: classNames, files: try validationFiles(folder, wnids)))
  }

  /// Lines of: file, wnid, left, top, right, bottom of a box, with tabs between them.
  private static func validationFiles(_ folder: String, _ wnids: [String]) throws(DataError) -> [ImageFiles.File] {
    let path = "\(folder)/val/val_annotations.txt"
    let labels = Dictionary(uniqueKeysWithValues: zip(wnids, (0 as Int32)...))
    var files: [ImageFiles.File] = []
    for (number, line) in try lines(of: path).enumerated() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count >= 2, !fields[0].isEmpty else {
        throw DataError(
          path: path, what: "line \(number + 1) is not a file and a class with a tab between them",
          remedy: "unpack tiny-imagenet-200.zip again")
      }
      guard let label = labels[String(fields[1])] else {
        throw DataError(
          path: path, what: "line \(number + 1) names the class \(fields[1]), which wnids.txt does not list",
          remedy: "unpack tiny-imagenet-200.zip again")
      }
      files.append(ImageFiles.File(path: "\(folder)/val/images/\(fields[0])", label: label))
    }
    guard !files.isEmpty else {
      throw DataError(path: path, what: "lists no images", remedy: "unpack tiny-imagenet-200.zip again")
    }
    return files
  }

  /// The names in `words.txt` (wnid, tab, synonyms); where the file or a line is missing, the wnid itself.
  private static func names(of wnids: [String], in folder: String) throws(DataError) -> [String] {
    let path = "\(folder)/words.txt"
    guard FolderListing.kind(of: path) == .file else { return wnids }
    let wanted = Set(wnids)
    var names: [String: String] = [:]
    for line in try lines(of: path) {
      guard let tab = line.firstIndex(of: "\t"), wanted.contains(String(line[..<tab])) else { continue }
      names[String(line[..<tab])] = String(line[line.index(after: tab)...])
    }
    return wnids.map { names[$0] ?? $0 }
  }

  private static func lines(of path: String) throws(DataError) -> [String] {
    String(decoding: try readDataFile(path), as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
  }
}
