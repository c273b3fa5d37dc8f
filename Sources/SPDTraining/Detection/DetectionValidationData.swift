import SPD
import SPDData
import SPDDetection
import SPDDriver
import SPDRuntime

/// The images that a detector is validated on.
package struct DetectionValidationData: Sendable {
  package let dataset: any DetectionDataset
  package let images: ImageCache
  /// Input sizes of the validation.
  package let sizes: [Size2D]
  package let notes: [String]
  private let ownIDs: [Int]?
  /// The file of COCO's annotations that the data set was read from, if it was.
  private let annotationFile: String?

  /// - Parameters:
  ///   - side: the longer side of an image in pixels.
  ///   - images: folder of the images that COCO annotations name; nil: where they are found.
  ///   - isSquare: letterboxes every image to a square; otherwise batches are rectangular.
  package init(
    _ configuration: TrainingConfiguration, split: DetectionData.Split, side: Int, images folder: String? = nil,
    isQuiet: Bool = false, isSquare: Bool = false
  ) throws {
    guard !configuration.data.isEmpty else { throw Failure(.usage, "no data set: give --data DATA.yaml") }
    if configuration.data.split(separator: ":").first == "shapes" {
      var options = DetectionShapesOptions()
      options.size = side
      if configuration.limit > 0 { options.validation = min(options.validation, configuration.limit) }
      dataset = try ShapesDetectionDataset(split: split, options: options)
      (ownIDs, annotationFile) = (nil, nil)
      notes = []
    } else {
      let data = try DetectionData(contentsOf: configuration.data, images: folder)
      let opened = try openSplit(split, of: data, isStrict: configuration.strict)
      dataset = DetectionTrainingData.limited(opened.dataset, configuration)
      ownIDs = opened.categoryIDs
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
      : DetectionEvaluation.sizes(dataset, batch: configuration.batch, imageSize: side)
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
      truth = try COCOAnnotations(path: annotationFile)
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

/// A detector compiled for all input sizes of a validation.
package struct DetectionNetworks: Sendable {
  package let weighted: Weighted
  package let networks: InferenceNetworks
  package let parameters: ParameterFile

  /// Compiles a network for each size, with progress.
  package init(
    _ options: CompileOptions, model: LoadedModel, argument: String, weights: String, data: DetectionValidationData,
    batch: Int
  ) async throws {
    let classes = data.dataset.classNames.count
    var weighted = try await WeightLoader.load(
      model, size: data.sizes[0], batch: batch, classes: options.classes, weights: weights)
    guard let boxes = weighted.graph.boxes else {
      throw Failure(.usage, "\(weighted.graph.name) does not end in Detect: it is no detector, such as yolov5-spd-n")
    }
    guard boxes.classes == classes else {
      throw Failure(
        .data,
        "\(weights) has \(boxes.classes) classes, but \(data.dataset.name) has \(classes); give the data set of "
          + "these weights")
    }
    let builder = try Builder(target: options.target)
    let progress = Progress("compiling for \(data.sizes.count) input sizes", total: data.sizes.count)
    var sized: [InferenceNetworks.Sized] = []
    for (done, size) in data.sizes.enumerated() {
      progress.update(done)
      let graph =
        size == data.sizes[0] ? weighted.graph : try await model.graph(size: size, batch: batch, classes: boxes.classes)
      let network = try await builder.load(try builder.compile(graph, options: options.pipeline()), quiet: true)
      sized.append(InferenceNetworks.Sized(network: network, graph: graph))
    }
    progress.finish()
    networks = InferenceNetworks(sized)
    parameters = try weighted.weights.file(for: weighted.graph)
    weighted.graph = sized[0].graph
    self.weighted = weighted
  }
}
