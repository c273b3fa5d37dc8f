import SPDData
import SPDFormats

/// What a detection data set consists of, as `data.yaml` or the layout of a folder says it. Nothing of the splits has
/// been looked at yet.
public struct DetectionData: Sendable, Equatable {
  /// The parts of a data set.
  public enum Split: String, CaseIterable, Sendable, Comparable {
    case train, val, test

    public static func < (a: Split, b: Split) -> Bool {
      allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
    }
  }

  /// The file or folder that was named.
  public let path: String
  /// The folder that the splits are relative to.
  public let root: String
  /// Names in class-index order; empty where nothing names the classes.
  public let classNames: [String]
  /// Folders of images, lists of images (`.txt`) or COCO annotations (`.json`), as written.
  public let sources: [Split: [String]]
  /// The folder of the images that COCO annotations name; nil to look for it.
  public let imageFolder: String?
  /// What was ignored or looks odd, one sentence each, safe to print.
  public let notes: [String]

  /// Opens `data.yaml`, a folder that holds it, a folder in one of the usual layouts, or a file of COCO annotations.
  ///
  /// Layouts without `data.yaml` are `images/train` beside `labels/train`, `train/images` beside `train/labels`, and
  /// `images` beside `labels` alone, with names in `classes.txt`, one on each line.
  ///
  /// - Parameter images: the folder of the images that COCO annotations name; nil to look for it.
  public init(contentsOf path: String, images: String? = nil) throws(DataError) {
    let path = Paths.withoutTrailingSlash(path)
    switch PathKind(of: path) {
    case .folder:
      if let yaml = try yamlFile(in: path) {
        try self.init(yamlFile: yaml, images: images)
      } else {
        try self.init(layoutOf: path)
      }
    case .file:
      if Paths.hasExtension(path, ["json"]) {
        let split = Self.split(ofAnnotations: path) ?? .val
        self.init(
          path: path, root: Paths.folder(of: path), classNames: [], sources: [split: [Paths.lastComponent(path)]],
          images: images, notes: [])
      } else if Paths.hasExtension(path, ["yaml", "yml"]) {
        try self.init(yamlFile: path, images: images)
      } else {
        throw DataError(
          path: path, what: "is no data set", remedy: "name a data.yaml, its folder, or a .json of COCO annotations")
      }
    case nil:
      throw DataError(path: path, what: "there is no such file or folder", remedy: "check the path")
    case .some(let other):
      throw DataError(
        path: path, what: other.fault ?? "cannot be read", remedy: "name a data.yaml or the data set's folder")
    }
  }

  init(
    path: String, root: String, classNames: [String], sources: [Split: [String]], images: String?, notes: [String]
  ) {
    self.path = path
    self.root = root
    self.classNames = classNames
    self.sources = sources
    imageFolder = images
    self.notes = notes
  }

  /// Where the labels of an image are looked for, in YOLO's layout.
  public static func labelPath(of image: String) -> String { Paths.labels(of: image) }

  /// The splits that the data set names, in the order train, val, test.
  public var splits: [Split] { sources.keys.sorted() }

  /// The paths of a split's sources as found on the disk.
  ///
  /// A relative path is tried against ``root``, the folder of `data.yaml` and the current folder. Roboflow writes
  /// `../train/images` for a folder beside `data.yaml`, so leading `../` are tried without as well.
  public func paths(of split: Split) throws(DataError) -> [String] {
    if Paths.hasExtension(path, ["json"]), sources[split] == nil { return [try annotations(of: split)] }
    guard let written = sources[split], !written.isEmpty else {
      throw DataError(
        path: path, what: "names no `\(split)`",
        remedy: "add `\(split): images/\(split)`, or use \(splits.map { "`\($0)`" }.joined(separator: " or "))")
    }
    var found: [String] = []
    for source in written {
      let candidates = self.candidates(source)
      guard let existing = candidates.first(where: { PathKind(of: $0) != nil }) else {
        throw DataError(
          path: path,
          what: "`\(split)` names \(source), which is not there; tried \(candidates.joined(separator: ", "))",
          remedy: "correct `path` or `\(split)`, or download the data set")
      }
      found.append(existing)
    }
    return found
  }

  /// The split that a file of annotations is named after.
  private static func split(ofAnnotations path: String) -> Split? {
    let words = Paths.lastComponent(Paths.withoutExtension(path)).split { "_-.".contains($0) }
    return words.lazy.compactMap { Split(folder: String($0)) }.first
  }

  /// Another split of a data set that was named by a file of annotations: the file beside it whose name has the other split's
  /// word, as `instances_val2017.json` beside `instances_train2017.json`; to test, the file itself, unless it is for training.
  private func annotations(of split: Split) throws(DataError) -> String {
    let name = Paths.lastComponent(path)
    let own = Self.split(ofAnnotations: path)
    if let own, let word = name.firstRange(of: "\(own)") {
      let sibling = Paths.joined(Paths.folder(of: path), name.replacingCharacters(in: word, with: "\(split)"))
      if PathKind(of: sibling) == .file { return sibling }
    }
    if split == .test, own != .train { return path }
    throw DataError(
      path: path, what: "has no images for `\(split)`, and no file beside it is named after them",
      remedy: "write a data.yaml with `train: …/instances_train.json` and `val: …/instances_val.json`, and name that")
  }

  private func candidates(_ source: String) -> [String] {
    let bases = [root, PathKind(of: path) == .folder ? path : Paths.folder(of: path), ""]
    var candidates = bases.map { Paths.joined($0, source) }
    var inner = source
    while inner.hasPrefix("../") { inner = String(inner.unicodeScalars.dropFirst(3)) }
    if inner != source { candidates += bases.map { Paths.joined($0, inner) } }
    var seen = Set<String>()
    return candidates.map(Paths.withoutTrailingSlash).filter { seen.insert($0).inserted }
  }
}

/// The only `.yaml` in a folder, or `data.yaml` among several; nil if there is none.
private func yamlFile(in folder: String) throws(DataError) -> String? {
  let names = try Paths.listing(folder).filter { Paths.hasExtension($0, ["yaml", "yml"]) }
  if let usual = ["data.yaml", "data.yml", "dataset.yaml"].first(where: names.contains) {
    return Paths.joined(folder, usual)
  }
  guard names.count <= 1 else {
    throw DataError(
      path: folder, what: "has \(names.count) files that may describe it: \(names.prefix(6).joined(separator: ", "))",
      remedy: "name one of them")
  }
  return names.first.map { Paths.joined(folder, $0) }
}
