import SPDData
import SPDVision

/// Images with label files in YOLO's format.
public struct YOLODataset: DetectionDataset {
  public let name: String
  public let classNames: [String]
  /// The images that can be used, in byte order of their paths.
  public let images: [LabelledImage]
  /// What the scan found, images that are left out included.
  public let report: ScanReport

  /// Scans folders of images and lists of them (`.txt`).
  ///
  /// An image or label file that cannot be used leaves out its image, with an issue that says why. Repeated rows are
  /// removed with an issue; the reference leaves out the whole image.
  ///
  /// - Parameters:
  ///   - sources: folders, searched recursively, and lists.
  ///   - root: what relative paths in lists are tried against, after the list's own folder.
  /// - Throws: where no image can be used, where the machine fails, and for any wrong file with
  ///   ``ScanOptions/isStrict``.
  public init(
    name: String, classNames: [String], sources: [String], root: String = "", options: ScanOptions = .init()
  ) throws(DataError) {
    let scan = try DatasetScan(sources, root: root, classCount: classNames.count, options: options)
    try self.init(name: name, classNames: classNames, scan: scan, source: sources[0])
  }

  init(name: String, classNames: [String], scan: DatasetScan, source: String) throws(DataError) {
    self.name = name
    self.classNames = classNames
    report = scan.report
    images = zip(scan.paths, scan.entries).compactMap { path, entry in
      if entry.isCorrupt { return nil }
      let pixels = Double(entry.width) * Double(entry.height)
      let objects = entry.objects.map { object in
        var object = object
        if !object.polygon.isEmpty { object.area = Outline.area(object.polygon) * pixels }
        return object
      }
      return LabelledImage(path: path, width: entry.width, height: entry.height, objects: objects)
    }
    guard !images.isEmpty else {
      let first = report.issues.first { $0.leavesOut }
      throw DataError(
        path: source, what: "none of its \(report.count) images can be used; the first: \(first?.description ?? "")",
        remedy: "correct the images and labels")
    }
  }

  public var count: Int { images.count }
  public func labels(_ index: Int) -> LabelledImage { images[index] }
  public func image(_ index: Int) throws(DataError) -> Image { try readDetectionImage(images[index]) }
}
