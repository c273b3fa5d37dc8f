import SPDVision

extension COCOResults {
  /// Detections as a results file holds them: boxes rounded to 3 decimals, scores to 5.
  ///
  /// - Parameters:
  ///   - detections: those of each image, by its index in the data set.
  ///   - imageIDs: COCO's id of each image of the data set.
  ///   - categoryIDs: COCO's id of each class.
  public init(_ detections: [(index: Int, found: [Detection])], imageIDs: [Int], categoryIDs: [Int]) {
    func rounded(_ value: Double, _ unit: Double) -> Double { (value * unit).rounded(.toNearestOrEven) / unit }
    self.init(
      detections: detections.flatMap { index, found in
        found.map { detection in
          var own = COCODetection(
            detection, imageID: imageIDs[index], categoryID: categoryIDs[detection.classIndex])
          own.box = COCOBox(
            x: rounded(own.box.x, 1000), y: rounded(own.box.y, 1000), width: rounded(own.box.width, 1000),
            height: rounded(own.box.height, 1000))
          own.score = rounded(own.score, 100_000)
          return own
        }
      })
  }
}
