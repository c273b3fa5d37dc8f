/// A folder with one folder of images per class, under `train` and `val`, or without that division.
///
/// Classes are numbered by the sorted names of their folders; images may lie in folders within them.
enum ClassFolders {
  static let trainingNames = ["train", "training"]
  static let validationNames = ["val", "valid", "validation", "test"]

  /// Reads `root/train/<class>/…` and `root/val/<class>/…`.
  static func divided(_ listing: FolderListing) throws(DataError) -> DatasetSplits {
    let root = listing.path
    guard let train = trainingNames.first(where: listing.folders.contains) else {
      throw DataError(path: root, what: "has no folder train; \(listing.summary)", remedy: "add it")
    }
    guard let val = validationNames.first(where: listing.folders.contains) else {
      throw DataError(
        path: root, what: "has a folder \(train) but none of \(validationNames.joined(separator: ", "))",
        remedy: "add one, or name \(root)/\(train) as the data set and a fraction for validation")
    }
    let training = try classes(in: "\(root)/\(train)")
    let names = training.map(\.name)
    var validation: [ImageFiles.File] = []
    for (name, paths) in try classes(in: "\(root)/\(val)") {
      guard let label = names.firstIndex(of: name) else {
        throw DataError(
          path: "\(root)/\(val)/\(name)", what: "is a class that \(train) does not have",
          remedy: "name the class folders alike in \(train) and \(val)")
      }
      validation += paths.map { ImageFiles.File(path: $0, label: Int32(label)) }
    }
    return DatasetSplits(
      training: ImageFiles(name: "\(root), training", classNames: names, files: files(of: training)),
      validation: ImageFiles(name: "\(root), validation", classNames: names, files: validation))
  }

  /// Reads `root/<class>/…` and takes `fraction` of every class for validation, chosen by `seed`; with 1, there are no
  /// images for training.
  static func undivided(_ listing: FolderListing, fraction: Double, seed: UInt64) throws(DataError) -> DatasetSplits {
    let root = listing.path
    guard fraction > 0, fraction <= 1 else {
      throw DataError(
        path: root, what: "has no train and val, and the fraction for validation is \(fraction)",
        remedy: "give a fraction between 0 and 1, such as 0.1")
    }
    var training: [ImageFiles.File] = []
    var validation: [ImageFiles.File] = []
    let classes = try classes(in: root)
    for (label, (name, paths)) in classes.enumerated() {
      guard paths.count >= 2 || fraction == 1 else {
        throw DataError(
          path: "\(root)/\(name)", what: "has one image, which cannot be both for training and for validation",
          remedy: "add images or remove the folder")
      }
      // Without the label, classes of the same size would give up images of the same places.
      var generator = SplitMix64(.split, seed, UInt64(label))
      let wanted = Int((Double(paths.count) * fraction).rounded())
      let most = fraction == 1 ? paths.count : paths.count - 1
      let chosen = Set(generator.permutation(paths.count).prefix(min(max(wanted, 1), most)).map(Int.init))
      for (index, path) in paths.enumerated() {
        let file = ImageFiles.File(path: path, label: Int32(label))
        if chosen.contains(index) { validation.append(file) } else { training.append(file) }
      }
    }
    let names = classes.map(\.name)
    return DatasetSplits(
      training: ImageFiles(name: "\(root), training", classNames: names, files: training),
      validation: ImageFiles(name: "\(root), validation", classNames: names, files: validation))
  }

  private static func files(of classes: [(name: String, paths: [String])]) -> [ImageFiles.File] {
    classes.enumerated().flatMap { label, entry in
      entry.paths.map { ImageFiles.File(path: $0, label: Int32(label)) }
    }
  }

  private static func classes(in folder: String) throws(DataError) -> [(name: String, paths: [String])] {
    let listing = try FolderListing(folder)
    guard listing.folders.count >= 2 else {
      throw DataError(
        path: folder, what: "has \(listing.folders.count) class folders, at least two are wanted; \(listing.summary)",
        remedy: "put the images of every class into a folder of its name")
    }
    var classes: [(name: String, paths: [String])] = []
    for name in listing.folders {
      let paths = try imageFiles(in: "\(folder)/\(name)")
      guard !paths.isEmpty else {
        throw DataError(
          path: "\(folder)/\(name)", what: "is a class folder without images (\(extensionList))",
          remedy: "put images into it or remove it")
      }
      classes.append((name, paths))
    }
    return classes
  }

  private static var extensionList: String { ImageFiles.extensions.map { ".\($0)" }.joined(separator: ", ") }
}
