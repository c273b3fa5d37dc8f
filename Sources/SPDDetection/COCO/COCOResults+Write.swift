import SPDFormats
import SPDVision

/// Collects detections in COCO's results format, which COCO's servers and tools read.
public struct COCOResultsWriter: Sendable {
  private var text = JSONText()
  /// Number of detections.
  public private(set) var count = 0
  private let categoryIDs: [Int]

  /// - Parameter categoryIDs: the category id of each class index, such as `COCOCategories.ids`.
  public init(categoryIDs: [Int]) {
    self.categoryIDs = categoryIDs
    text.append("[")
  }

  /// Adds an image's detections, whose boxes are corners in pixels of the original image.
  ///
  /// `image_id` is the image's id, else its file name's stem: an integer if the stem is digits alone, text otherwise.
  /// Coordinates are rounded to three decimals, scores to five.
  ///
  /// - Precondition: every class index has a category id.
  public mutating func add(_ detections: [Detection], of image: LabelledImage) {
    let stem = fileStem(image.path)
    let isNumber = !stem.isEmpty && stem.utf8.allSatisfy { $0 &- 0x30 < 10 }
    let id = image.id ?? (isNumber ? Int(stem) : nil)
    for detection in detections {
      text.append(count == 0 ? "\n{\"image_id\":" : ",\n{\"image_id\":")
      if let id { text.append(id) } else { text.append(quoted: stem) }
      text.append(",\"category_id\":")
      text.append(categoryIDs[detection.classIndex])
      text.append(",\"bbox\":")
      text.append(COCOBox(corners: detection.box, scale: 1000))
      text.append(",\"score\":")
      text.append(rounded(Double(detection.score), scale: 1e5))
      text.append("}")
      count += 1
    }
  }

  /// Writes the file, atomically.
  ///
  /// - Throws: `FormatError` where the file cannot be written.
  public func write(to path: String) throws {
    var text = text
    text.append("\n]\n")
    try writeAtomically(to: path) { try $0.write(&text) }
  }
}

extension COCOBox {
  /// The box of corners x1, y1, x2, y2, with coordinates rounded to multiples of `1 / scale`.
  fileprivate init(corners: SIMD4<Float>, scale: Double) {
    let (x, y) = (Double(corners.x), Double(corners.y))
    self.init(
      x: rounded(x, scale: scale), y: rounded(y, scale: scale), width: rounded(Double(corners.z) - x, scale: scale),
      height: rounded(Double(corners.w) - y, scale: scale))
  }
}
