import SPD
import SPDData
import SPDDetection
import SPDDriver

/// The images that a detector is validated on.
public struct DetectionValidationData: Sendable {
  package let dataset: any DetectionDataset
  package let images: ImageCache
  /// Input sizes of the validation.
  package let sizes: [Size2D]
  package let notes: [String]
  /// The files and folders that it was read from.
  package let sources: [String]
  private let ownIDs: [Int]?
  /// The file of COCO's annotations that the data set was read from, if it was.
  private let annotationFile: String?

  /// Opens the images, and scans them if they are new.
  ///
  /// - Parameters:
  ///   - configuration: its `data`, `batch`, `limit` and `strict` apply.
  ///   - side: the longer side of an image in pixels.
  ///   - images: folder of the images that COCO annotations name; nil: where they are found.
  ///   - isSquare: letterboxes every image to a square; otherwise batches are rectangular.
  /// - Throws: `Failure` or an error that converts to one: no such data set, a damaged one, one without images.
  public init(
    _ configuration: TrainingConfiguration, split: DetectionData.Split, side: Int, images folder: String? = nil,
    isQuiet: Bool = false, isSquare: Bool = false
  ) throws {
    guard !configuration.data.isEmpty else { throw Failure(.usage, "no data set: give --data DATA.yaml") }
    if configuration.data.split(separator: ":").first == "shapes" {
      var options = DetectionShapesOptions()
      options.size = side
      if configuration.limit > 0 { options.validation = min(options.validation, configuration.limit) }
      dataset = try ShapesDetectionDataset(split: split, options: options)
      (ownIDs, annotationFile, sources) = (nil, nil, [])
      notes = []
    } else {
      let data = try DetectionData(contentsOf: configuration.data, images: folder)
      let opened = try openSplit(split, of: data, isStrict: configuration.strict)
      dataset = DetectionTrainingData.limited(opened.dataset, configuration)
      (ownIDs, sources) = (opened.categoryIDs, opened.sources)
      annotationFile = ownIDs == nil ? nil : opened.sources.first
      notes = isQuiet ? [] : data.notes + opened.summary(split)
    }
    guard dataset.count > 0 else {
      throw Failure(.data, "\(dataset.name) has no images; `spdc dataset check` says what was left out")
    }
    images = try ImageCache(dataset, imageSize: side, augments: false)
    sizes =
      isSquare
      ? [Size2D(side, side)]
      : DetectionEvaluation.sizes(dataset, batch: configuration.batch, imageSize: side, pad: 0.5)
  }

  /// The ground truth for COCO's evaluation, and the ids of images and classes in it.
  package func annotations() throws -> (truth: COCOAnnotations, imageIDs: [Int], categoryIDs: [Int]) {
    let labelled = (0..<dataset.count).map { dataset.labels($0) }
    let haveIDs = labelled.allSatisfy { $0.id != nil }
    let imageIDs = labelled.enumerated().map { haveIDs ? $1.id! : $0 + 1 }
    let categories = zip(categoryIDs, dataset.classNames).map {
      COCOCategory(id: $0, name: $1)
    }
    var truth: COCOAnnotations
    if let annotationFile {
      // Boxes as the file has them, not rounded to 32-bit fractions.
      truth = try COCOAnnotations(path: annotationFile, leavesOutFaulty: true)
      let used = Set(imageIDs)
      truth.images.removeAll { !used.contains($0.id) }
      truth.annotations.removeAll { !used.contains($0.imageID) }
    } else {
      truth = COCOAnnotations(labelled, categories: categories)
    }
    return (truth, imageIDs, categories.map(\.id))
  }

  /// The category id of each class in a results file: those of the annotations, else those of a converted data set.
  package var categoryIDs: [Int] { ownIDs ?? COCOCategories.ids(for: dataset.classNames) }
}
