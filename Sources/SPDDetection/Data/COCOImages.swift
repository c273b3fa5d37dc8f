import SPDData
import SPDFormats

/// Gathers the images of a ``COCODataset`` and their objects.
struct COCOImages {
  private let path: String
  private let imageFolder: String?
  private let readsHeaders: Bool
  private var images: [LabelledImage] = []
  /// Indices into `images` by id.
  private var indices: [Int: Int] = [:]
  /// Ids of images that are left out.
  private var leftOut = Set<Int>()
  private var report = ScanReport()
  /// Annotations with something wrong: by reason, the first and their number.
  private var faults: [(first: COCOFault, count: Int)] = []

  init(path: String, imageFolder: String?, readsHeaders: Bool) {
    self.path = path
    self.imageFolder = imageFolder
    self.readsHeaders = readsHeaders
  }

  mutating func add(_ records: [COCOImage]) throws(DataError) {
    for record in records.sorted(by: { $0.id < $1.id }) {
      guard indices[record.id] == nil, !leftOut.contains(record.id) else {
        throw DataError(
          path: path, what: "has the image id \(record.id) twice", remedy: "give every image its own id")
      }
      let file = imageFolder.map { Paths.joined($0, record.fileName) } ?? record.fileName
      var record = record
      if let reason = try fault(of: &record, file) {
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

  /// What is wrong with an image; fills in the size from the file where the annotations lack it.
  ///
  /// - Throws: where the machine failed.
  private func fault(of record: inout COCOImage, _ file: String) throws(DataError) -> String? {
    if record.fileName.isEmpty { return "the annotations give image \(record.id) no file name" }
    if imageFolder != nil {
      guard PathKind(of: file) == .file else { return PathKind(of: file)?.fault ?? "there is no such file" }
      let hasSize = record.width > 0 && record.height > 0
      if readsHeaders || !hasSize {
        do throws(DataError) {
          let header = try ImageHeader(contentsOf: file)
          if !hasSize { (record.width, record.height) = (header.width, header.height) }
          guard (record.width, record.height) == (header.width, header.height) else {
            return "the image has \(header.width)×\(header.height) pixels, but the annotations are for "
              + "\(record.width)×\(record.height)"
          }
        } catch {
          if error.isOfTheMachine { throw error }
          return "\(error.what); \(error.remedy)"
        }
      }
    }
    guard (10...1_000_000).contains(record.width), (10...1_000_000).contains(record.height) else {
      return "the annotations give it \(record.width)×\(record.height) pixels; both sides must have 10 or more"
    }
    return nil
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

  mutating func add(_ found: [COCOFault]) {
    for fault in found {
      if let index = faults.firstIndex(where: { $0.first.reason == fault.reason }) {
        faults[index].count += 1
      } else {
        faults.append((fault, 1))
      }
    }
  }

  private mutating func leaveOut(_ annotation: COCOAnnotation, _ reason: String) {
    add([COCOFault(id: annotation.id, reason: reason)])
  }

  func finished() -> ([LabelledImage], ScanReport) {
    var report = report
    report.read = images.count
    for image in images {
      if image.objects.isEmpty { report.empty += 1 } else { report.labelled += 1 }
    }
    for (first, count) in faults {
      report.issues.append(
        ScanIssue(
          path: path,
          reason: "\(count) annotations \(first.reason), the first with \(first.id.map { "id \($0)" } ?? "no id"); "
            + (first.leavesOut ? "they are left out" : "their boxes are used"),
          leavesOut: false))
    }
    return (images, report)
  }
}
