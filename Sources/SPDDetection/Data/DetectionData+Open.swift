import SPDData
import SPDFormats

/// A split of a data set, ready for use.
public struct OpenedDataset: Sendable {
  public let dataset: any DetectionDataset
  public let report: ScanReport
  /// COCO's id of each class; nil for a data set in YOLO's format.
  public let categoryIDs: [Int]?
  /// The files and folders that the split was read from.
  public let sources: [String]

  public init(dataset: any DetectionDataset, report: ScanReport, categoryIDs: [Int]?, sources: [String]) {
    self.dataset = dataset
    self.report = report
    self.categoryIDs = categoryIDs
    self.sources = sources
  }
}

extension DetectionData {
  /// Opens a split, which scans its images and labels, or reads the annotations of one that is a `.json`.
  public func open(_ split: Split, options: ScanOptions = .init()) throws(DataError) -> OpenedDataset {
    let sources = try paths(of: split)
    let name = "\(path), \(split)"
    if sources.contains(where: { Paths.hasExtension($0, ["json"]) }) {
      guard sources.count == 1 else {
        throw DataError(
          path: path, what: "`\(split)` names \(sources.count) files of annotations and images",
          remedy: "name one .json, which lists all images of the split")
      }
      let contents = try COCOAnnotations(path: sources[0], polygons: true, leavesOutFaulty: !options.isStrict)
      let images = if let imageFolder { imageFolder } else { try self.imageFolder(of: sources[0], contents) }
      let dataset = try COCODataset(
        name: name, path: sources[0], imageFolder: images, contents: contents, isStrict: options.isStrict,
        readsHeaders: options.readsAllHeaders)
      var report = dataset.report
      if !classNames.isEmpty, classNames != dataset.classNames {
        guard classNames.count == dataset.classNames.count else {
          throw DataError(
            path: path, what: "has \(classNames.count) classes, but \(sources[0]) has \(dataset.classNames.count)",
            remedy: "make `names` agree with the categories in the order of their ids, or remove it")
        }
        report.notes.append(printable("`names` of \(path) differ from the categories of \(sources[0]), which are used"))
      }
      return OpenedDataset(
        dataset: dataset, report: report, categoryIDs: dataset.categoryIDs, sources: sources)
    }
    let names = try classNames.isEmpty ? countedClasses(options) : classNames
    let dataset = try YOLODataset(name: name, classNames: names, sources: sources, root: root, options: options)
    return OpenedDataset(dataset: dataset, report: dataset.report, categoryIDs: nil, sources: sources)
  }

  /// Names for classes that nothing names: all splits are scanned for the highest number.
  private func countedClasses(_ options: ScanOptions) throws(DataError) -> [String] {
    var quiet = options
    quiet.usesCache = false  // a cache belongs to a number of classes
    quiet.isStrict = false
    var highest = 0
    for split in splits {
      let scan = try DatasetScan(try paths(of: split), root: root, classCount: maximumClasses, options: quiet)
      for entry in scan.entries { highest = max(highest, entry.objects.map(\.classIndex).max() ?? 0) }
    }
    return (0...highest).map { "class \($0)" }
  }

  /// Looks for the images of `instances_val2017.json` where COCO and common tools put them.
  private func imageFolder(of json: String, _ contents: COCOAnnotations) throws(DataError) -> String {
    let stem = Paths.lastComponent(Paths.withoutExtension(json))
    let split = stem.utf8.lastIndex(of: UInt8(ascii: "_")).map {
      String(stem.unicodeScalars[stem.utf8.index(after: $0)...])
    }
    let here = Paths.folder(of: json)
    var candidates: [String] = []
    for base in [root, here, Paths.folder(of: here)] {
      for name in [split ?? stem, stem] {
        candidates += [
          Paths.joined(base, "images/\(name)"), Paths.joined(base, name), Paths.joined(base, "\(name)/images"),
        ]
      }
      candidates += [Paths.joined(base, "images"), base]
    }
    // The first files may be those that are missing.
    let probes = contents.images.prefix(64)
    let best = candidates.first { folder in
      probes.contains { !$0.fileName.isEmpty && PathKind(of: Paths.joined(folder, $0.fileName)) == .file }
    }
    guard let best else {
      throw DataError(
        path: json,
        what: "the folder of its images is not found; looked for \(contents.images.first?.fileName ?? "images") in "
          + Set(candidates).sorted().prefix(8).joined(separator: ", "),
        remedy: "name it with --images")
    }
    return best
  }
}
