import SPDData

extension COCODataset.Contents {
  /// Reads a file of COCO's annotations, with the outlines of objects.
  public init(contentsOf path: String) throws(DataError) {
    let read = try COCOAnnotations(path: path, polygons: true)
    self.init(
      images: read.images, categories: read.categories,
      annotations: read.annotations.map {
        COCODataset.Annotation(
          id: $0.id, imageID: $0.imageID, categoryID: $0.categoryID,
          box: SIMD4($0.box.x, $0.box.y, $0.box.width, $0.box.height), area: $0.area, isCrowd: $0.isCrowd,
          polygons: $0.polygons)
      })
  }
}
