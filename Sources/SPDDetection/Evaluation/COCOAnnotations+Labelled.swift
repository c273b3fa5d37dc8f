import SPDVision

extension COCOAnnotations {
  /// Makes annotations of labelled images, for COCO's evaluation of a data set that has no JSON file.
  ///
  /// Image ids are those of the images, or 1, 2, … in their order if not all have one. Categories are indexed by class.
  /// Boxes were stored as 32-bit fractions: where there is a JSON file, evaluate with that.
  ///
  /// - Precondition: every class index has a category.
  public init(_ labelled: [LabelledImage], categories: [COCOCategory]) {
    let haveIDs = labelled.allSatisfy { $0.id != nil }
    self.init(categories: categories)
    for (index, image) in labelled.enumerated() {
      let id = haveIDs ? image.id! : index + 1
      images.append(COCOImage(id: id, fileName: image.path, width: image.width, height: image.height))
      for object in image.objects {
        annotations.append(
          COCOAnnotation(
            id: annotations.count + 1, imageID: id, categoryID: categories[object.classIndex].id,
            box: COCOBox(fractions: object.box, width: image.width, height: image.height), area: object.area,
            isCrowd: object.isCrowd,
            polygons: object.polygon.isEmpty
              ? [] : [object.polygon.map { $0 * SIMD2(Float(image.width), Float(image.height)) }]))
      }
    }
  }
}

extension COCODetection {
  /// Makes a detection in COCO's form; nothing is rounded.
  ///
  /// - Parameter detection: its box holds corners in pixels of the original image.
  public init(_ detection: Detection, imageID: Int, categoryID: Int) {
    let box = SIMD4<Double>(detection.box)
    self.init(
      imageID: imageID, categoryID: categoryID,
      box: COCOBox(x: box.x, y: box.y, width: box.z - box.x, height: box.w - box.y), score: Double(detection.score))
  }
}

extension COCOBox {
  /// The box of a centre and sides that are fractions of an image's sides.
  public init(fractions: SIMD4<Float>, width: Int, height: Int) {
    let box = SIMD4<Double>(fractions) * SIMD4(Double(width), Double(height), Double(width), Double(height))
    self.init(x: box.x - box.z / 2, y: box.y - box.w / 2, width: box.z, height: box.w)
  }
}
