import SPDData
import SPDFormats

/// Gathers the images of a ``COCODataset`` and their objects.
struct COCOImages {
  private let path: String
  private let imageFolder: String?
  private var images: [LabelledImage] = []
  /// Indices into `images` by id.
  private var indices: [Int: Int] = [:]
  /// Ids of images that are left out.
  private var leftOut = Set<Int>()
  private var report = ScanReport()
  /// Annotations that are left out: by reason, the first id and their number.
  private var faults: [(reason: String, first: Int, count: Int)] = []

  init(path: String, imageFolder: String?) {
    self.path = path
    self.imageFolder = imageFolder
  }

  mutating func add(_ records: [COCOImage]) throws(DataError) {
    for record in records.sorted(by: { $0.id < $1.id }) {
      guard indices[record.id] == nil, !leftOut.contains(record.id) else {
        throw DataError(
          path: path, what: "has the image id \(record.id) twice", remedy: "give every image its own id")
      }
      let file = imageFolder.map { Paths.joined($0, record.fileName) } ?? record.fileName
      if let reason = fault(of: record, file) {
        leftOut.insert(record.id)
        report.corrupt += 1
        report.issues.append(ScanIssue(path: file, reason: reason, leavesOut: true))
        continue
      }
      indices[record.id] = images.count
      images.append(
        LabelledImage(path: file, width: record.width, height: record.height, objects: [], id: record.id))
    }
  }

  private func fault(of record: COCOImage, _ file: String) -> String? {
    guard (10...1_000_000).contains(record.width), (10...1_000_000).contains(record.height) else {
      return "the annotations give it \(record.width)×\(record.height) pixels; both sides must have 10 or more"
    }
    if record.fileName.isEmpty { return "the annotations give image \(record.id) no file name" }
    guard imageFolder != nil, PathKind(of: file) != .file else { return nil }
    return PathKind(of: file)?.fault ?? "there is no such file"
  }

  mutating func add(_ annotations: [COCOAnnotation], classes: [Int: Int]) {
    for annotation in annotations {
      // An image that is left out has an issue of its own.
      if leftOut.contains(annotation.imageID) { continue }
      guard let index = indices[annotation.imageID] else {
        leaveOut(annotation, "belong to images that the file does not list")
        continue
      }
      guard let classIndex = classes[annotation.categoryID] else {
        leaveOut(annotation, "have a category that the file does not list")
        continue
      }
      guard let object = object(annotation, classIndex, images[index]) else {
        leaveOut(annotation, "have no box of finite, positive size in their image")
        continue
      }
      images[index].objects.append(object)
    }
  }

  private func object(
    _ annotation: COCOAnnotation, _ classIndex: Int, _ image: LabelledImage
  ) -> LabelledObject? {
    let sides = SIMD2(Double(image.width), Double(image.height))
    let box = annotation.box
    guard box.x.isFinite, box.y.isFinite, box.width.isFinite, box.height.isFinite else { return nil }
    let low = SIMD2(box.x, box.y).clamped(lowerBound: .zero, upperBound: sides)
    let high = SIMD2(box.x + box.width, box.y + box.height).clamped(lowerBound: .zero, upperBound: sides)
    let size = high - low
    guard size.x > 0, size.y > 0 else { return nil }
    let centre = (low + high) / 2 / sides
    let fraction = size / sides
    let scale = SIMD2(Float(1 / sides.x), Float(1 / sides.y))
    let parts = annotation.polygons.filter { part in
      part.count >= 3 && part.allSatisfy { $0.x.isFinite && $0.y.isFinite }
    }
    return LabelledObject(
      classIndex: classIndex, box: SIMD4(Float(centre.x), Float(centre.y), Float(fraction.x), Float(fraction.y)),
      polygon: Outline.joined(parts.map { $0.map { $0 * scale } }), isCrowd: annotation.isCrowd,
      area: annotation.area.isFinite && annotation.area >= 0 ? annotation.area : nil)
  }

  private mutating func leaveOut(_ annotation: COCOAnnotation, _ reason: String) {
    if let index = faults.firstIndex(where: { $0.reason == reason }) {
      faults[index].count += 1
    } else {
      faults.append((reason, annotation.id, 1))
    }
  }

  func finished() -> ([LabelledImage], ScanReport) {
    var report = report
    report.read = images.count
    for image in images {
      if image.objects.isEmpty { report.empty += 1 } else { report.labelled += 1 }
    }
    for fault in faults {
      report.issues.append(
        ScanIssue(
          path: path,
          reason: "\(fault.count) annotations \(fault.reason), the first with id \(fault.first); they are left out",
          leavesOut: false))
    }
    return (images, report)
  }
}
