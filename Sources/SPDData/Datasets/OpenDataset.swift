/// What cannot be read off a data set's path.
public struct DatasetOptions: Codable, Sendable, Equatable {
  /// The part of every class that is for validation, where class folders are not divided into train and val.
  public var validationFraction: Double = 0
  /// Which images that part consists of.
  public var splitSeed: UInt64 = 0
  /// How the images of `shapes` are drawn.
  public var shapes = ShapesOptions()

  public init() {}
}

/// The kinds of data set that a path can name.
enum DatasetKind: Equatable {
  case shapes(resolution: Int?, smallest: Double?)
  case cifar(CIFARVariant, CIFARVersion)
  case tinyImageNet
  case dividedFolders, undividedFolders
}

/// Opens a data set for classification; what lies at the path decides the kind.
///
/// - `shapes`, `shapes:16` for images of 16×16, or `shapes:16:0.3` without the figures whose radius is below 0.3 of
///   the side: drawn by ``ShapesDataset``;
/// - the folder of CIFAR-10 or CIFAR-100, binary version or Python version;
/// - the folder of Tiny ImageNet;
/// - `train` and `val` with one folder of images (`.jpg`, `.jpeg`, `.png`, `.ppm`, `.pgm`) per class;
/// - class folders alone, of which ``DatasetOptions/validationFraction`` is set apart.
///
/// A folder that holds nothing but one of these is looked into.
///
/// - Throws: `DataError` that says what was looked for and what was found.
public func openDataset(_ name: String, options: DatasetOptions = .init()) throws(DataError) -> DatasetSplits {
  if case .shapes(let resolution, let smallest)? = try shapesKind(name) {
    var shapes = options.shapes
    shapes.resolution = resolution ?? shapes.resolution
    shapes.smallest = smallest ?? shapes.smallest
    return try ShapesDataset.splits(shapes)
  }
  switch FolderListing.kind(of: name) {
  case .folder: break
  case nil:
    throw DataError(
      path: name, what: "there is no such folder", remedy: "check the path, or say shapes for the built-in data set")
  case .file:
    let isArchive = hasExtension(name, ["gz", "tgz", "tar", "zip"])
    throw DataError(
      path: name, what: "is a file; a data set is a folder",
      remedy: isArchive ? "unpack it and name the folder" : "name the folder that it lies in")
  }
  // A name typed with a slash at its end must not show in every message.
  let (listing, kind) = try detect(name.count > 1 && name.hasSuffix("/") ? String(name.dropLast()) : name)
  switch kind {
  case .cifar(let variant, let version): return try CIFAR.splits(variant, version, in: listing.path)
  case .tinyImageNet: return try TinyImageNet.splits(in: listing.path)
  case .dividedFolders: return try ClassFolders.divided(listing)
  case .undividedFolders, .shapes:
    return try ClassFolders.undivided(listing, fraction: options.validationFraction, seed: options.splitSeed)
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
      remedy: "say shapes:16 for 16×16 images, shapes:16:0.3 for large figures in them")
  }
  return .shapes(resolution: side, smallest: smallest)
}

/// The folder that holds the data set, and its kind.
private func detect(_ folder: String) throws(DataError) -> (FolderListing, DatasetKind) {
  let listing = try FolderListing(folder)
  if let kind = kind(of: listing) { return (listing, kind) }
  if listing.folders.count == 1 {
    let inner = try FolderListing("\(folder)/\(listing.folders[0])")
    if let kind = kind(of: inner), kind != .undividedFolders { return (inner, kind) }
  }
  throw DataError(
    path: folder,
    what: "is no data set; looked for data_batch_1(.bin) of CIFAR-10, train(.bin) of CIFAR-100, wnids.txt of Tiny "
      + "ImageNet, train/ and val/, class folders; \(listing.summary)",
    remedy: "name the folder that holds one of these")
}

private func kind(of listing: FolderListing) -> DatasetKind? {
  let files = Set(listing.files)
  if files.contains("data_batch_1.bin") { return .cifar(.ten, .binary) }
  if files.contains("data_batch_1") { return .cifar(.ten, .pickles) }
  if files.contains("train.bin") { return .cifar(.hundred, .binary) }
  if files.isSuperset(of: ["train", "meta"]) { return .cifar(.hundred, .pickles) }
  if files.contains("wnids.txt") { return .tinyImageNet }
  if !ClassFolders.trainingNames.allSatisfy({ !listing.folders.contains($0) }) { return .dividedFolders }
  return listing.folders.count >= 2 ? .undividedFolders : nil
}
