import SPD
import SPDDetection
import SPDDriver
import SPDRuntime

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
    weighted = try await WeightLoader.load(
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
    networks = try await InferenceNetworks(
      try Builder(target: options.target), options.pipeline(), model, weighted.graph, sizes: data.sizes)
    parameters = try weighted.weights.file(for: weighted.graph)
  }
}

extension DetectionNetworks {
  /// Runs the networks on all images, with progress.
  ///
  /// - Parameter size: the longer side of the input in pixels.
  /// - Returns: the evaluation, and the number of images that cannot be read.
  func evaluate(
    _ data: DetectionValidationData, _ configuration: TrainingConfiguration, title: String, size: Int,
    thresholds: DetectionThresholds = DetectionThresholds(), isSquare: Bool = false, isStrict: Bool = false
  ) throws -> (found: DetectionEvaluation, broken: Int) {
    var broken = BrokenImages()
    let progress = Progress(title, total: data.dataset.count)
    let found = try DetectionEvaluation.run(
      networks, parameters: parameters, data.images, classNames: data.dataset.classNames, imageSize: size,
      isRectangular: !isSquare, thresholds, threads: configuration.computeThreads,
      loaderThreads: configuration.loaderThreads, isStrict: isStrict, broken: &broken
    ) { done in
      progress.update(done)
      return true
    }
    progress.finish()
    // Only `progress` ends an evaluation early.
    guard let found else { throw CancellationError() }
    return (found, broken.count)
  }
}
