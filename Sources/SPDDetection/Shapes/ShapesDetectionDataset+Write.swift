import SPDData
import SPDVision

/// How images of the generated set are stored.
public enum ShapesImageFormat: String, CaseIterable, Sendable {
  /// JPEG of quality 95, a quarter of the size of PNG.
  case jpg
  /// Lossless.
  case png
}

extension DetectionShapesOptions {
  /// Writes the data set: `images/train`, `images/val`, `labels/train`, `labels/val` and `data.yaml`.
  ///
  /// The folder appears when it is complete. Read back, boxes are bit for bit those of ``ShapesDetectionDataset``.
  ///
  /// - Parameters:
  ///   - outlines: write outlines instead of boxes.
  ///   - replaces: replace a data set that was written before.
  ///   - progress: called with the number of images written and their total.
  /// - Throws: where the folder holds anything else, or cannot be written.
  public func write(
    to folder: String, format: ShapesImageFormat = .jpg, outlines: Bool = false, replaces: Bool = false,
    progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(DataError) {
    let sets = [
      (DetectionData.Split.train, try ShapesDetectionDataset(split: .train, options: self)),
      (.val, try ShapesDetectionDataset(split: .val, options: self)),
    ]
    try FolderWriter.write(to: folder, replaces: replaces) { (folder) throws(DataError) in
      var done = 0
      for (split, set) in sets {
        let images = "\(folder)/images/\(split)"
        let labels = "\(folder)/labels/\(split)"
        try FolderWriter.createFolder(images)
        try FolderWriter.createFolder(labels)
        for index in 0..<set.count {
          let digits = String(index)
          let stem = String(repeating: "0", count: max(6 - digits.count, 0)) + digits
          do throws(ImageError) {
            try set.image(index).write(to: "\(images)/\(stem).\(format.rawValue)")
          } catch {
            throw DataError(
              path: error.path, what: error.what, remedy: error.remedy, isOfTheMachine: error.isOfTheMachine)
          }
          let rows = YOLOText.rows(set.labels(index).objects, outlines: outlines)
          try FolderWriter.write(rows, to: "\(labels)/\(stem).txt")
          done += 1
          progress(done, training + validation)
        }
      }
      let yaml = YOLOText.dataYAML(
        classNames: sets[0].1.classNames, splits: [(.train, "images/train"), (.val, "images/val")],
        note: "Generated small-object set: \(size)×\(size) pixels, seed \(seed).")
      try FolderWriter.write(yaml, to: "\(folder)/data.yaml")
    }
  }
}
