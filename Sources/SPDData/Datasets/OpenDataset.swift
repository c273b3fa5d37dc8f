import SPDFormats

/// Options of a data set that its path does not determine.
public struct DatasetOptions: Codable, Sendable, Equatable {
  /// Fraction of every class to set apart for validation, where class folders are not split into train and val.
  public var validationFraction: Double = 0
  /// Random seed that chooses the images for validation.
  public var splitSeed: UInt64 = 0
  /// Options for drawing the images of `shapes`.
  public var shapes = ShapesOptions()

  public init() {}
}

/// The kinds of data set that a path can name.
enum DatasetKind: Equatable {
  case shapes(resolution: Int?, smallest: Double?)
  case cifar(CIFARVariant, CIFARVersion)
  case tinyImageNet
  case idx(IDXFileNames)
  case dividedFolders(training: String, validation: String)
  case undividedFolders
}

/// Opens a classification data set; the content of the path decides its kind.
///
/// - `shapes`, `shapes:16` for images of 16×16, or `shapes:16:0.3` without shapes whose radius is below 0.3 of the
///   side:
/// drawn by ``ShapesDataset``;
/// - the folder of CIFAR-10 or CIFAR-100, binary version or Python version;
/// - the folder of Tiny ImageNet;
/// - the folder of MNIST's or Fashion-MNIST's IDX files, also packed with gzip; `idx:FOLDER` is the same, and
/// `idx:FOLDER:14` averages pixels to images of 14×14. Sides are padded to multiples of 8: see ``IDX``;
/// - `train` and `val` with one folder of images (`.jpg`, `.jpeg`, `.png`, `.ppm`, `.pgm`) per class; `training`, and
/// `valid`, `validation`, `test` or `testing`, in any case, are accepted as well;
/// - class folders alone, of which ``DatasetOptions/validationFraction`` is set apart.
///
/// The data set may be nested in folders that contain nothing else. CIFAR, Tiny ImageNet and IDX files are also found
/// beside other folders.
///
/// - Throws: `DataError` that says what was looked for and what was found.
public func openDataset(_ name: String, options: DatasetOptions = .init()) throws(DataError) -> DatasetSplits {
  if case .shapes(let resolution, let smallest)? = try shapesKind(name) {
    var shapes = options.shapes
    shapes.resolution = resolution ?? shapes.resolution
    shapes.smallest = smallest ?? shapes.smallest
    return try ShapesDataset.splits(shapes)
  }
  if let splits = try IDX.splits(named: name) { return splits }
  switch PathKind(of: name) {
  case .folder: break
  case nil:
    throw DataError(
      path: name, what: "there is no such folder", remedy: "check the path, or say shapes for the built-in data set")
  case .file:
    let isArchive = hasExtension(name, ["gz", "tgz", "tar", "zip"])
    throw DataError(
      path: name, what: "is a file; a data set is a folder",
      remedy: isArchive ? "unpack it and name the folder" : "name the folder that contains it")
  case .some(let other):
    throw DataError(path: name, what: other.fault ?? "is no folder", remedy: "name the data set's folder")
  }
  // A trailing slash of the name must not appear in every message.
  let (folder, kind) = try detect(name.utf8.count > 1 && name.hasSuffix("/") ? String(name.dropLast()) : name)
  switch kind {
  case .cifar(let variant, let version): return try CIFAR.splits(variant, version, in: folder)
  case .tinyImageNet: return try TinyImageNet.splits(in: folder)
  case .idx(let files): return try IDX.splits(files, in: folder, side: nil)
  case .dividedFolders(let training, let validation):
    return try ClassFolders.divided(folder, training: training, validation: validation)
  case .undividedFolders, .shapes:
    return try ClassFolders.undivided(folder, fraction: options.validationFraction, seed: options.splitSeed)
  }
}

/// `shapes`, `shapes:<side>` and `shapes:<side>:<radius>`; nil for any other name.
private func shapesKind(_ name: String) throws(DataError) -> DatasetKind? {
  let parts = name.split(separator: ":", omittingEmptySubsequences: false)
  guard parts[0] == "shapes" else { return nil }
  guard parts.count > 1 else { return name == "shapes" ? .shapes(resolution: nil, smallest: nil) : nil }
  let smallest = parts.count == 3 ? Double(parts[2]) : nil
  guard let side = Int(parts[1]), parts.count == 2 || smallest != nil else {
    throw DataError(
      path: name, what: "what is after the colon is no number",
      remedy: "say shapes:16 for 16×16 images, shapes:16:0.3 for large shapes in them")
  }
  return .shapes(resolution: side, smallest: smallest)
}

/// Maximum nesting in folders that contain only the data set's folder.
private let maximumWrappers = 3

/// Finds the folder of the data set, and its kind.
private func detect(_ folder: String) throws(DataError) -> (folder: String, DatasetKind) {
  let outermost = try FolderListing(folder)
  var listing = outermost
  for depth in 0...maximumWrappers {
    if let found = try recognised(listing) { return found }
    if let kind = try folderKind(listing, isNamed: depth == 0) { return (listing.path, kind) }
    guard listing.folders.count == 1 else { break }
    listing = try FolderListing("\(listing.path)/\(listing.folders[0])")
  }
  throw DataError(
    path: folder,
    what: "is no data set; looked for data_batch_1(.bin) of CIFAR-10, train(.bin) of CIFAR-100, wnids.txt of Tiny "
      + "ImageNet, train-images-idx3-ubyte(.gz), train/ and val/, class folders; \(outermost.summary)",
    remedy: "name the folder that holds one of these")
}

/// Recognises a data set by its files, in this folder or in one of its subfolders.
private func recognised(_ listing: FolderListing) throws(DataError) -> (folder: String, DatasetKind)? {
  if let kind = try fileKind(listing) { return (listing.path, kind) }
  // Download programs leave a layout such as `data/cifar-10-batches-py` beside other folders.
  var found: [(folder: String, DatasetKind)] = []
  for name in listing.folders where listing.folders.count <= 32 {
    guard let inner = try? FolderListing("\(listing.path)/\(name)"), let kind = try? fileKind(inner) else { continue }
    found.append((inner.path, kind))
  }
  guard found.count <= 1 else {
    throw DataError(
      path: listing.path, what: "holds several data sets: \(found.map(\.folder).joined(separator: ", "))",
      remedy: "name one of them")
  }
  return found.first
}

/// Recognises data sets by well-known file names.
private func fileKind(_ listing: FolderListing) throws(DataError) -> DatasetKind? {
  let files = Set(listing.files)
  if files.contains("data_batch_1.bin") { return .cifar(.ten, .binary) }
  if files.contains("data_batch_1") { return .cifar(.ten, .pickles) }
  if files.contains("train.bin") { return .cifar(.hundred, .binary) }
  if files.isSuperset(of: ["train", "meta"]) { return .cifar(.hundred, .pickles) }
  if files.contains("wnids.txt") { return .tinyImageNet }
  return try IDXFileNames(listing).map(DatasetKind.idx)
}

/// Recognises class folders, with or without splits; those without only in the folder that the user named.
private func folderKind(_ listing: FolderListing, isNamed: Bool) throws(DataError) -> DatasetKind? {
  switch try ClassFolders.division(listing) {
  case .divided(let training, let validation): return .dividedFolders(training: training, validation: validation)
  case .half(let found, let missing):
    let remedy =
      missing == ClassFolders.trainingNames
      ? "add one" : "add one, or name \(listing.path)/\(found) as the data set and a fraction for validation"
    throw DataError(
      path: listing.path, what: "has a folder \(found) but none of \(missing.joined(separator: ", "))", remedy: remedy)
  case .none: return isNamed && listing.folders.count >= 2 ? .undividedFolders : nil
  }
}
