import Foundation
import SPDData
import SPDFormats
import SPDVision

/// Converts between YOLO's label files and COCO's annotations. Images stay where they are and are linked to.
public enum DatasetConversion {
  public enum Format: String, Sendable { case yolo, coco }

  /// What became of a split.
  public struct Part: Sendable, Equatable, Codable {
    public let split: String
    /// The folder of its images, which the result links to.
    public let images: String
    public let imageCount, objects, outlines: Int
    /// Crowds, which YOLO's format cannot express; they are left out.
    public let crowds: Int

    enum CodingKeys: String, CodingKey {
      case split, objects, outlines, crowds
      case images = "folder"
      case imageCount = "images"
    }
  }

  /// The number of a class in both formats.
  public struct ClassEntry: Sendable, Equatable, Codable {
    public let index, categoryID: Int
    public let name: String

    enum CodingKeys: String, CodingKey {
      case index, name
      case categoryID = "category_id"
    }
  }

  public struct Report: Sendable, Equatable, Codable {
    public let parts: [Part]
    public let classes: [ClassEntry]
  }

  /// Writes a data set in another format as a folder that can be opened again: `data.yaml`, links `images/<split>`, and
  /// either lists `<split>.txt` with label files `labels/<split>/…` or `annotations/instances_<split>.json`.
  ///
  /// Outlines are kept in both directions; the parts of an object in COCO's file become one outline. In COCO's format, an
  /// object's area is that of its outline, else of its box; image ids are the numbers that the file names are, if all are
  /// different numbers, else 1, 2, …; category ids are the class indices, or COCO's
  /// own where the classes are COCO's eighty.
  ///
  /// - Parameters:
  ///   - outlines: false writes boxes alone.
  ///   - replaces: replace a data set that was written before.
  public static func write(
    _ splits: [(split: DetectionData.Split, data: OpenedDataset)], as format: Format, to folder: String,
    outlines: Bool = true, replaces: Bool = false, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(DataError) -> Report {
    guard let first = splits.first else {
      throw DataError(path: folder, what: "there is no split to convert", remedy: "name a split of the data set")
    }
    let names = first.data.dataset.classNames
    for (split, data) in splits where data.dataset.classNames != names {
      throw DataError(
        path: data.dataset.name, what: "the classes of \(split) differ from those of \(first.split)",
        remedy: "convert the splits one by one with --split")
    }
    let ids = first.data.categoryIDs ?? COCOCategories.ids(for: names)
    let total = splits.reduce(0) { $0 + $1.data.dataset.count }
    var parts: [Part] = []
    for (_, data) in splits {
      let folders = Set((0..<data.dataset.count).map { Paths.folder(of: data.dataset.labels($0).path) })
      try FolderWriter.require(folder, holdsNoneOf: data.sources + folders.sorted())
    }
    try FolderWriter.write(to: folder, replaces: replaces) { (folder) throws(DataError) in
      var done = 0
      var sources: [(DetectionData.Split, source: String)] = []
      try FolderWriter.createFolder("\(folder)/images")
      for (split, data) in splits {
        let set = data.dataset
        let origin = try ImageOrigin(of: set)
        try FolderWriter.link("\(folder)/images/\(split)", to: origin.folder)
        let step = { progress(done + $0, total) }
        switch format {
        case .yolo: try writeYOLO(set, split, origin, folder, outlines: outlines, progress: step)
        case .coco:
          try FolderWriter.createFolder("\(folder)/annotations")
          try COCOText(origin: origin, categoryIDs: ids, outlines: outlines)
            .write(set, to: "\(folder)/annotations/instances_\(split).json", progress: step)
        }
        sources.append((split, format == .yolo ? "\(split).txt" : "annotations/instances_\(split).json"))
        done += set.count
        let statistics = DetectionStatistics(set)
        parts.append(
          Part(
            split: "\(split)", images: origin.folder, imageCount: set.count, objects: statistics.objects,
            outlines: outlines ? statistics.outlines : 0, crowds: statistics.crowds))
      }
      let yaml = YOLOText.dataYAML(
        classNames: names, splits: sources, note: "Converted from \(first.data.sources.joined(separator: ", ")).")
      try FolderWriter.write(yaml, to: "\(folder)/data.yaml")
    }
    let classes = zip(names, ids).enumerated().map {
      ClassEntry(index: $0.offset, categoryID: $0.element.1, name: $0.element.0)
    }
    return Report(parts: parts, classes: classes)
  }

  private static func writeYOLO(
    _ set: any DetectionDataset, _ split: DetectionData.Split, _ origin: ImageOrigin, _ folder: String, outlines: Bool,
    progress: (Int) -> Void
  ) throws(DataError) {
    var list = ""
    var made = Set<String>()
    for index in 0..<set.count {
      let labels = set.labels(index)
      let name = origin.names[index]
      list += "./images/\(split)/\(name)\n"
      let target = "\(folder)/labels/\(split)/\(Paths.withoutExtension(name)).txt"
      let parent = Paths.folder(of: target)
      if made.insert(parent).inserted { try FolderWriter.createFolder(parent) }
      guard PathKind(of: target) == nil else {
        throw DataError(
          path: labels.path,
          what: "differs from another image by its extension alone, and they would share a label file",
          remedy: "rename one of them")
      }
      let rows = YOLOText.rows(labels.objects.filter { !$0.isCrowd }, outlines: outlines)
      try FolderWriter.write(rows, to: target)
      progress(index + 1)
    }
    try FolderWriter.write(list, to: "\(folder)/\(split).txt")
  }
}

/// The innermost folder that holds all images of a data set, and their names relative to it.
struct ImageOrigin {
  /// Absolute, links resolved.
  let folder: String
  let names: [String]

  init(of set: any DetectionDataset) throws(DataError) {
    let paths = (0..<set.count).map { set.labels($0).path }
    var common = Array(Paths.folder(of: paths[0]).utf8)
    for path in paths {
      let folder = Array(Paths.folder(of: path).utf8)
      while !(folder.starts(with: common)
        && (folder.count == common.count || common.isEmpty || common == [0x2f] || folder[common.count] == 0x2f))
      {
        let parent = Paths.folder(of: String(decoding: common, as: UTF8.self))
        common = common == Array(parent.utf8) ? [] : Array(parent.utf8)
      }
    }
    let base = String(decoding: common, as: UTF8.self)
    let prefix = base.isEmpty || base == "/" ? base : base + "/"
    names = paths.map { String($0.unicodeScalars.dropFirst(prefix.unicodeScalars.count)) }
    if let index = names.firstIndex(where: { $0.split(separator: "/").contains("..") }) {
      throw DataError(
        path: paths[index], what: "lies outside the folder of the images",
        remedy: "name the folder that holds all of them")
    }
    guard let resolved = FileName.withPath(base.isEmpty ? "." : base, { realpath($0, nil) }) else {
      throw DataError(
        path: base, what: "there is no such folder", remedy: "name the folder of the images with --images")
    }
    defer { free(resolved) }
    folder = FileName.string(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
  }
}
