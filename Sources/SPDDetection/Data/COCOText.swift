import SPDData
import SPDFormats

/// Writes annotations in COCO's format. Lengths are in pixels with three decimals.
struct COCOText {
  let origin: ImageOrigin
  let categoryIDs: [Int]
  let outlines: Bool

  func write(_ set: any DetectionDataset, to path: String, progress: (Int) -> Void) throws(DataError) {
    let ids = imageIDs(set)
    do {
      try writeAtomically(to: path) { file in
        func write(_ text: String) throws { try file.write(Array(text.utf8)) }
        try write("{\"info\": {\"description\": \(Self.quoted(set.name))},\n\"categories\": [")
        for (index, name) in set.classNames.enumerated() {
          try write((index > 0 ? ",\n" : "\n") + "{\"id\": \(categoryIDs[index]), \"name\": \(Self.quoted(name))}")
        }
        try write("],\n\"images\": [")
        for index in 0..<set.count {
          let image = set.labels(index)
          try write(
            (index > 0 ? ",\n" : "\n") + "{\"id\": \(ids[index]), \"file_name\": \(Self.quoted(origin.names[index])), "
              + "\"width\": \(image.width), \"height\": \(image.height)}")
        }
        try write("],\n\"annotations\": [")
        var id = 0
        for index in 0..<set.count {
          let image = set.labels(index)
          for object in image.objects {
            id += 1
            try write((id > 1 ? ",\n" : "\n") + annotation(object, id, imageID: ids[index], image))
          }
          progress(index + 1)
        }
        try write("]}\n")
      }
    } catch {
      throw Paths.error(error, path)
    }
  }

  private func annotation(_ object: LabelledObject, _ id: Int, imageID: Int, _ image: LabelledImage) -> String {
    let (width, height) = (Double(image.width), Double(image.height))
    let box = object.box
    let size = (Double(box.z) * width, Double(box.w) * height)
    let corner = (Double(box.x) * width - size.0 / 2, Double(box.y) * height - size.1 / 2)
    let numbers = [corner.0, corner.1, size.0, size.1].map(Self.decimal).joined(separator: ", ")
    let points = outlines ? object.polygon : []
    let outline = points.map { "\(Self.decimal(Double($0.x) * width)), \(Self.decimal(Double($0.y) * height))" }
    return "{\"id\": \(id), \"image_id\": \(imageID), \"category_id\": \(categoryIDs[object.classIndex]), "
      + "\"bbox\": [\(numbers)], \"area\": \(Self.decimal(object.area ?? size.0 * size.1)), "
      + "\"iscrowd\": \(object.isCrowd ? 1 : 0), \"segmentation\": "
      + (outline.isEmpty ? "[]}" : "[[\(outline.joined(separator: ", "))]]}")
  }

  /// The ids that the images have, else the numbers that their names are, else 1, 2, ….
  private func imageIDs(_ set: any DetectionDataset) -> [Int] {
    let known = (0..<set.count).compactMap { set.labels($0).id }
    if known.count == set.count { return known }
    let numbers = origin.names.compactMap { name -> Int? in
      let stem = Paths.withoutExtension(Paths.lastComponent(name))
      return stem.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(stem) : nil
    }
    return numbers.count == set.count && Set(numbers).count == numbers.count ? numbers : Array(1...max(set.count, 1))
  }

  /// A number with up to three decimals.
  static func decimal(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "0" }
    let thousandths = Int((value * 1000).rounded())
    if thousandths % 1000 == 0 { return "\(thousandths / 1000)" }
    var digits = String(abs(thousandths % 1000) + 1000).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return (thousandths < 0 ? "-" : "") + "\(abs(thousandths) / 1000).\(digits)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
