import SPD
import SPDFormats

/// A folder with one folder of images per class, under `train` and `val`, or without that split.
///
/// Classes are numbered by the sorted names of their folders; images may be in nested folders. Names are compared as
/// bytes: two spellings of "é" are two classes. A folder name that is not UTF-8 has its printable form as class name.
enum ClassFolders {
  /// Names of the split folders, in any case; the first that exists is used.
  static let trainingNames = ["train", "training"]
  static let validationNames = ["val", "valid", "validation", "test", "testing"]

  /// The split that the folders of a listing suggest.
  enum Division {
    case none
    case divided(training: String, validation: String)
    /// Folders for training only, or for validation only.
    case half(found: String, missing: [String])
  }

  static func division(_ listing: FolderListing) throws(DataError) -> Division {
    let train = try split(trainingNames, in: listing)
    let val = try split(validationNames, in: listing)
    switch (train, val) {
    case (let train?, let val?): return .divided(training: train, validation: val)
    case (let train?, nil):
      return try isClass(train, in: listing) ? .none : .half(found: train, missing: validationNames)
    case (nil, let val?): return try isClass(val, in: listing) ? .none : .half(found: val, missing: trainingNames)
    case (nil, nil): return .none
    }
  }

  /// Whether a folder named like a split is one of several classes, such as trains among vehicles: then there are
  /// others, and it contains images rather than folders.
  private static func isClass(_ name: String, in listing: FolderListing) throws(DataError) -> Bool {
    let splits = trainingNames + validationNames
    guard listing.folders.contains(where: { !splits.contains($0.lowercased()) }) else { return false }
    return try FolderListing("\(listing.path)/\(name)").folders.isEmpty
  }

  private static func split(_ names: [String], in listing: FolderListing) throws(DataError) -> String? {
    for name in names {
      let found = listing.folders.filter { $0.lowercased() == name }
      guard found.count <= 1 else {
        throw DataError(
          path: listing.path, what: "has both \(found[0]) and \(found[1])",
          remedy: "name the data set's folders so that they differ by more than their case")
      }
      if let found = found.first { return found }
      if let (link, kind) = listing.faults.first(where: { $0.name.lowercased() == name }) {
        throw DataError(
          path: "\(listing.path)/\(link)", what: kind.fault ?? "cannot be entered",
          remedy: "restore its target, or remove it")
      }
    }
    return nil
  }

  /// Reads `root/train/<class>/…` and `root/val/<class>/…`.
  static func divided(
    _ root: String, training train: String, validation val: String
  ) throws(DataError) -> DatasetSplits {
    let training = try Classes(in: "\(root)/\(train)")
    let validation = try Classes(in: "\(root)/\(val)")
    var files: [ImageFiles.File] = []
    for entry in validation.entries {
      files += entry.files(label: try training.label(of: entry.folder, in: "\(root)/\(val)", others: train))
    }
    var warnings = training.warnings + validation.warnings
    let missing = training.entries.count - validation.entries.count
    if missing > 0 {
      warnings.append(printable("\(root)/\(val) lacks \(missing) of the \(training.entries.count) classes of \(train)"))
    }
    return DatasetSplits(
      training: ImageFiles(name: "\(root), training", classNames: training.names, files: training.files),
      validation: ImageFiles(name: "\(root), validation", classNames: training.names, files: files),
      warnings: warnings)
  }

  /// Reads `root/<class>/…` and sets `fraction` of every class apart for validation, chosen by `seed`; with 1, there
  /// are no training images.
  static func undivided(_ root: String, fraction: Double, seed: UInt64) throws(DataError) -> DatasetSplits {
    guard fraction > 0, fraction <= 1 else {
      throw DataError(
        path: root, what: "has no train and val, and the fraction for validation is \(fraction)",
        remedy: "give a fraction between 0 and 1, such as 0.1")
    }
    var training: [ImageFiles.File] = []
    var validation: [ImageFiles.File] = []
    let classes = try Classes(in: root)
    for (label, entry) in classes.entries.enumerated() {
      guard entry.paths.count >= 2 || fraction == 1 else {
        throw DataError(
          path: "\(root)/\(entry.folder)", what: "has one image, which cannot be both for training and for validation",
          remedy: "add images or remove the folder")
      }
      // Without the label, classes of the same size would set the same positions apart.
      var generator = SplitMix64(.split, seed, UInt64(label))
      let wanted = Int((Double(entry.paths.count) * fraction).rounded())
      let most = fraction == 1 ? entry.paths.count : entry.paths.count - 1
      let chosen = Set(generator.permutation(entry.paths.count).prefix(min(max(wanted, 1), most)).map(Int.init))
      for (index, file) in entry.files(label: Int32(label)).enumerated() {
        if chosen.contains(index) { validation.append(file) } else { training.append(file) }
      }
    }
    return DatasetSplits(
      training: ImageFiles(name: "\(root), training", classNames: classes.names, files: training),
      validation: ImageFiles(name: "\(root), validation", classNames: classes.names, files: validation),
      warnings: classes.warnings)
  }
}

/// The class folders in a folder, and their images.
struct Classes {
  struct Entry {
    /// The folder's name.
    let folder: String
    let paths: [String]

    func files(label: Int32) -> [ImageFiles.File] { paths.map { ImageFiles.File(path: $0, label: label) } }
  }

  private(set) var entries: [Entry] = []
  private(set) var warnings: [String] = []
  /// Labels by the bytes of the folder name.
  private var labels: [[UInt8]: Int32] = [:]

  init(in folder: String) throws(DataError) {
    let listing = try FolderListing(folder)
    try listing.requireFolders()
    guard listing.folders.count >= 2 else {
      throw DataError(
        path: folder, what: "has \(listing.folders.count) class folders, at least two are needed; \(listing.summary)",
        remedy: "put the images of every class into a folder of its name")
    }
    for name in listing.folders {
      let found = try FoundImages(in: "\(folder)/\(name)")
      guard !found.paths.isEmpty else {
        throw DataError(
          path: "\(folder)/\(name)",
          what: "is a class folder without images (\(ImageFiles.extensions.map { ".\($0)" }.joined(separator: ", ")))",
          remedy: "put images into it or remove it")
      }
      labels[Array(name.utf8)] = Int32(entries.count)
      entries.append(Entry(folder: name, paths: found.paths))
      warnings += found.warnings
    }
    warnings += Self.oddities(listing)
  }

  var names: [String] { entries.map { printable($0.folder) } }

  var files: [ImageFiles.File] { entries.enumerated().flatMap { label, entry in entry.files(label: Int32(label)) } }

  /// The label of a class folder of another split.
  func label(of folder: String, in place: String, others: String) throws(DataError) -> Int32 {
    if let label = labels[Array(folder.utf8)] { return label }
    // Swift compares strings by canonical equivalence: the same text may have other code points.
    let isSpelledOtherwise = entries.contains { $0.folder == folder }
    throw DataError(
      path: "\(place)/\(folder)",
      what: "is a class that \(others) does not have"
        + (isSpelledOtherwise ? ", though one looks the same: its accents are in another Unicode normalisation" : ""),
      remedy: "name the class folders alike in both splits")
  }

  /// Warnings for folders that may not be classes, and for images that may have been lost.
  private static func oddities(_ listing: FolderListing) -> [String] {
    var warnings: [String] = []
    let loose = listing.files.filter { hasExtension($0, ImageFiles.allExtensions) }.count
    if loose > 0 {
      warnings.append(printable("\(listing.path): \(loose) images lie beside the class folders and are left out"))
    }
    let inner = listing.folders.map { (try? FolderListing("\(listing.path)/\($0)"))?.folders ?? [] }
    // A single inner folder, such as `images`, is a common layout.
    if let first = inner.first, first.count >= 2, inner.allSatisfy({ $0 == first }) {
      let some = { (names: [String]) in
        names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …" : "")
      }
      warnings.append(
        printable(
          "\(listing.path): the classes \(some(listing.folders)) all hold the folders \(some(first)); if those are the "
            + "classes, name the outer folders train and val"))
    }
    for (name, kind) in listing.faults {
      if case .special(let what) = kind {
        warnings.append(printable("\(listing.path)/\(name) is \(what); left out"))
      }
    }
    return warnings
  }
}
