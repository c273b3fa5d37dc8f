import SPDData
import SPDFormats
import SPDVision

/// Images with COCO's annotations: crowds, areas and image ids are kept.
public struct COCODataset: DetectionDataset {
  public let name: String
  /// Names of the categories in the order of their ids.
  public let classNames: [String]
  /// COCO's id of each class.
  public let categoryIDs: [Int]
  /// The images that can be used, in the order of their ids.
  public let images: [LabelledImage]
  public let report: ScanReport

  /// Joins annotations with images. Class `k` is the category with the k-th id in ascending order.
  ///
  /// Boxes are clipped to their image. An annotation of an unknown image or category, or without a box in its image,
  /// is left out with an issue; so is an image whose file is missing, and an image of an impossible size.
  ///
  /// - Parameters:
  ///   - path: the file of annotations, for messages.
  ///   - imageFolder: what file names are relative to; nil leaves files unchecked, where only labels are wanted.
  ///   - isStrict: refuse the data set where anything is left out.
  ///   - readsHeaders: read the size of every image; else only of those whose size the annotations lack.
  public init(
    name: String, path: String, imageFolder: String?, contents: COCOAnnotations, isStrict: Bool = false,
    readsHeaders: Bool = false
  ) throws(DataError) {
    func refuse(_ what: String, _ remedy: String) -> DataError { DataError(path: path, what: what, remedy: remedy) }
    let categories = contents.categories.sorted { $0.id < $1.id }
    guard (1...maximumClasses).contains(categories.count) else {
      throw refuse("has \(categories.count) categories", "give 1 to \(maximumClasses)")
    }
    var classes: [Int: Int] = [:]
    for (index, category) in categories.enumerated() {
      guard classes.updateValue(index, forKey: category.id) == nil else {
        throw refuse("has the category id \(category.id) twice", "give every category its own id")
      }
    }
    self.name = name
    classNames = categories.map { printable($0.name) }
    categoryIDs = categories.map(\.id)

    var builder = COCOImages(path: path, imageFolder: imageFolder, readsHeaders: readsHeaders)
    try builder.add(contents.images)
    builder.add(contents.annotations, classes: classes)
    builder.add(contents.faults)
    (images, report) = builder.finished()
    guard !images.isEmpty else {
      let first = report.issues.first { $0.leavesOut }
      throw refuse(
        "none of its \(report.count) images can be used" + (first.map { "; the first: \($0)" } ?? ""),
        "name the folder of the images, or correct the file names")
    }
    if isStrict { try report.requireSound() }
  }

  public var count: Int { images.count }
  public func labels(_ index: Int) -> LabelledImage { images[index] }
  public func image(_ index: Int) throws(DataError) -> Image { try readDetectionImage(images[index]) }
}
