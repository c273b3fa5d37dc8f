import SPDFormats

extension COCOAnnotations {
  /// Writes the annotations in COCO's format, atomically.
  ///
  /// A segmentation is written where there are polygons, so `area` is the only trace of a run-length mask.
  ///
  /// - Throws: `FormatError` where the file cannot be written.
  public func write(to path: String) throws {
    try writeAtomically(to: path) { sink in
      var text = JSONText()
      text.append("{\"images\":[")
      for (index, image) in images.enumerated() {
        text.append(index == 0 ? "\n" : ",\n")
        text.append(image, id: textOfID[image.id])
        try sink.write(&text)
      }
      text.append("\n],\"categories\":[")
      for (index, category) in categories.enumerated() {
        text.append(index == 0 ? "\n{\"id\":" : ",\n{\"id\":")
        text.append(category.id)
        text.append(",\"name\":")
        text.append(quoted: category.name)
        text.append("}")
      }
      text.append("\n],\"annotations\":[")
      for (index, annotation) in annotations.enumerated() {
        text.append(index == 0 ? "\n" : ",\n")
        text.append(annotation, imageID: textOfID[annotation.imageID])
        try sink.write(&text)
      }
      text.append("\n]}\n")
      try sink.write(&text)
    }
  }

  private var textOfID: [Int: String] { Dictionary(uniqueKeysWithValues: textIDs.map { ($1, $0) }) }
}

extension JSONText {
  fileprivate mutating func append(_ image: COCOImage, id: String?) {
    append("{\"id\":")
    if let id { append(quoted: id) } else { append(image.id) }
    append(",\"file_name\":")
    append(quoted: image.fileName)
    append(",\"width\":")
    append(image.width)
    append(",\"height\":")
    append(image.height)
    append("}")
  }

  fileprivate mutating func append(_ annotation: COCOAnnotation, imageID: String?) {
    append("{\"id\":")
    append(annotation.id)
    append(",\"image_id\":")
    if let imageID { append(quoted: imageID) } else { append(annotation.imageID) }
    append(",\"category_id\":")
    append(annotation.categoryID)
    append(",\"bbox\":")
    append(annotation.box)
    append(",\"area\":")
    append(annotation.area)
    append(annotation.isCrowd ? ",\"iscrowd\":1" : ",\"iscrowd\":0")
    if annotation.isIgnored { append(",\"ignore\":1") }
    if !annotation.polygons.isEmpty { append(annotation.polygons) }
    append("}")
  }

  private mutating func append(_ polygons: [[SIMD2<Float>]]) {
    append(",\"segmentation\":[")
    for (index, polygon) in polygons.enumerated() {
      append(index == 0 ? "[" : ",[")
      for (index, point) in polygon.enumerated() {
        if index > 0 { append(",") }
        // The shortest notation of the Float, not of its value as a Double.
        bytes += "\(point.x),\(point.y)".utf8
      }
      append("]")
    }
    append("]")
  }
}
