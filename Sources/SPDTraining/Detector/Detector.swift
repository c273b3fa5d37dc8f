import SPD
import SPDDriver
import SPDRuntime
import SPDVision

/// A trained detector, compiled for inference, that accepts images of any size.
///
/// ```swift
/// let detector = try await Detector(yolov5SPDn, weights: "best.pt")
/// for found in try detector.detect(Image(contentsOf: "street.jpg")) {
///   print(detector.classNames[found.classIndex], found.score, found.box)
/// }
/// ```
///
/// Images are letterboxed to ``size``. Not thread-safe.
public final class Detector {
  /// Names by class index: the weights', else COCO's if their number matches, else `class 7`.
  public var classNames: [String] { networks.classNames }
  /// Height and width of the network's input in pixels.
  public var size: Size2D { networks.input.size }
  /// Number of images that the network takes at once.
  public var batch: Int { networks.input.batch }

  let networks: DetectorNetworks
  let input: DetectorInput
  let threads: Int
  private var runners: [Size2D: Runner] = [:]
  /// Letterboxed images, N×3×H×W.
  private var images: [Float] = []

  /// Each session has an arena of its own; images of many shapes share these.
  private static let maximumRunners = 4

  /// Compiles a model with the weights, the input size and the class names of a checkpoint.
  ///
  /// - Parameter checkpoint: a checkpoint such as `TrainingResult.best`.
  /// - Throws: as ``init(_:weights:augments:threads:options:)``.
  public convenience init(
    _ model: Model, checkpoint: TrainingResult.Checkpoint, augments: Bool = false, threads: Int? = nil,
    options: CompileOptions = CompileOptions()
  ) async throws {
    try await self.init(model, weights: checkpoint.path, augments: augments, threads: threads, options: options)
  }

  /// Compiles a model with any weight file.
  ///
  /// - Parameters:
  ///   - augments: test-time augmentation, which takes about 2.2 times as long: images are also run at 0.83 of their size
  ///     and mirrored, and at 0.67, and the results are suppressed together.
  ///   - threads: number of threads of each run; all that this process may use by default.
  ///   - options: compile options; `batch` is the number of images that are run at once, 1 by default.
  /// - Throws: `Failure` or an error that converts to one: a network that is no detector, a damaged file or one of another
  ///   network, no C compiler.
  public convenience init(
    _ model: Model, weights: String, augments: Bool = false, threads: Int? = nil,
    options: CompileOptions = CompileOptions()
  ) async throws {
    let model = LoadedModel(model)
    let threads = threads ?? Machine.processors
    let weighted = try await WeightLoader.load(
      model, size: options.size, batch: options.batch ?? 1, classes: options.classes, weights: weights)
    let networks = try DetectorNetworks(weighted, model: model, options: options, threads: threads)
    for size in networks.sizes(for: networks.input.size, isAugmented: augments) { try await networks.prepare(size) }
    self.init(networks, DetectorInput(isAugmented: augments), threads: threads)
  }

  package init(_ networks: DetectorNetworks, _ input: DetectorInput, threads: Int) {
    (self.networks, self.input, self.threads) = (networks, input, threads)
  }

  /// Finds objects in an image.
  ///
  /// - Parameters:
  ///   - confidence: minimum of objectness times class probability, exclusive.
  ///   - iou: IoU above which the worse of two boxes of a class is dropped.
  ///   - maximum: maximum number of detections.
  ///   - classes: if given, objects of other classes are dropped.
  ///   - isAgnostic: lets boxes of different classes suppress each other, too.
  /// - Returns: detections by descending score; boxes are corners in pixels of the image, not rounded.
  /// - Throws: an error that converts to `Failure` if the network's output is not finite.
  public func detect(
    _ image: Image, confidence: Float = 0.25, iou: Float = 0.45, maximum: Int = 1000, classes: Set<Int>? = nil,
    isAgnostic: Bool = false
  ) throws -> [Detection] {
    try detect(
      [image],
      DetectorOptions(
        confidence: confidence, iou: iou, maximum: maximum, classes: classes, isAgnostic: isAgnostic))[0]
  }

  /// Finds objects in any number of images, ``batch`` at a time.
  ///
  /// - Returns: the detections of each image.
  /// - Throws: an error that converts to `Failure` if the network's output is not finite for one of them.
  public func detect(
    _ images: [Image], _ options: DetectorOptions = DetectorOptions()
  ) throws -> [[Detection]] {
    try results(images, options).map { try $0.get() }
  }

  /// Finds objects in images; one whose output is not finite does not cost the others theirs.
  package func results(
    _ images: [Image], _ options: DetectorOptions
  ) throws -> [Result<[Detection], OutputNotFinite>] {
    let step = input.isRectangular ? 1 : batch
    return try stride(from: 0, to: images.count, by: step).flatMap { start in
      try results(of: images[start..<min(start + step, images.count)], options)
    }
  }

  /// Runs up to a batch of images that have the same letterboxed size.
  private func results(
    of chunk: ArraySlice<Image>, _ options: DetectorOptions
  ) throws -> [Result<[Detection], OutputNotFinite>] {
    let fits = chunk.map {
      Letterbox(
        imageWidth: $0.width, imageHeight: $0.height, height: size.height, width: size.width, auto: input.isRectangular,
        stride: networks.stride)
    }
    let shape = Size2D(fits[0].height, fits[0].width)
    let values = 3 * shape.area
    // Rows without an image keep what they had: they do not affect the others.
    if images.count != batch * values { images = [Float](repeating: 0, count: batch * values) }
    images.withUnsafeMutableBufferPointer { target in
      for (row, (image, fit)) in zip(chunk, fits).enumerated() {
        letterbox(image, fit, into: target.baseAddress! + row * values)
      }
    }
    if input.isAugmented {
      return try zip(augmentedRows(shape, count: chunk.count), fits).map { rows, fit in
        rows.withUnsafeBufferPointer { result($0, fit, options) }
      }
    }
    let runner = try runner(shape)
    try images.withUnsafeBufferPointer { try runner.infer($0) }
    return fits.enumerated().map { row, fit in result(runner.rows(of: row), fit, options) }
  }

  /// Runs the passes of test-time augmentation on the letterboxed images, and merges each image's rows.
  private func augmentedRows(_ shape: Size2D, count: Int) throws -> [[Float]] {
    var merged = [[Float]](repeating: [], count: count)
    let length = 5 + networks.boxes.classes
    for (index, pass) in TestTimeAugmentation.passes.enumerated() {
      let size = TestTimeAugmentation.Shape(pass, of: shape, stride: networks.stride)
      let runner = try runner(size.padded)
      let scaled = [Float](unsafeUninitializedCapacity: batch * 3 * size.padded.area) { target, filled in
        images.withUnsafeBufferPointer { source in
          scalePlanes(
            source.baseAddress!, count: batch * 3, height: shape.height, width: shape.width,
            isMirrored: pass.isMirrored, into: target.baseAddress!, scaledHeight: size.scaled.height,
            scaledWidth: size.scaled.width, paddedHeight: size.padded.height, paddedWidth: size.padded.width,
            pad: TestTimeAugmentation.pad)
        }
        filled = target.count
      }
      try scaled.withUnsafeBufferPointer { try runner.infer($0) }
      let kept = TestTimeAugmentation.rows(ofPass: index, size: size.padded, networks.boxes)
      for row in 0..<count {
        TestTimeAugmentation.append(
          runner.rows(of: row)[kept.lowerBound * length..<kept.upperBound * length], length: length, pass,
          width: shape.width, to: &merged[row])
      }
    }
    return merged
  }

  /// Chooses detections from an image's decoded rows, and maps them to the image's pixels.
  private func result(
    _ rows: UnsafeBufferPointer<Float>, _ fit: Letterbox, _ options: DetectorOptions
  ) -> Result<[Detection], OutputNotFinite> {
    if !allFinite(rows) {
      do {
        try OutputNotFinite.check(Array(rows), [[rows.count]], of: networks.name)
      } catch let error as OutputNotFinite {
        return .failure(error)
      } catch {
        preconditionFailure("internal error: \(error)")
      }
    }
    let classes = networks.boxes.classes
    let found = nonMaxSuppression(
      rows: rows, count: rows.count / (5 + classes), classes: classes, confidence: options.confidence, iou: options.iou,
      maxDetections: options.maximum, agnostic: options.isAgnostic, keepClasses: options.classes)
    return .success(scaleBoxes(found, from: fit))
  }

  private func runner(_ size: Size2D) throws -> Runner {
    if let runner = runners[size] { return runner }
    let sized = try networks.network(size)
    if runners.count == Self.maximumRunners { runners.removeAll() }
    let runner = Runner(try sized.network.session(sized.packed, threads: threads), batch: batch)
    runners[size] = runner
    return runner
  }
}

/// A session with memory for its results.
private final class Runner {
  private let session: Session
  private let output: UnsafeMutableBufferPointer<Float>
  private let batch: Int

  init(_ session: Session, batch: Int) {
    self.session = session
    self.batch = batch
    output = .allocate(capacity: session.network.outputCount)
  }

  deinit { output.deallocate() }

  func infer(_ input: UnsafeBufferPointer<Float>) throws { try session.infer(input, into: output) }

  /// The decoded rows of an image of the batch.
  func rows(of row: Int) -> UnsafeBufferPointer<Float> {
    let count = output.count / batch
    return UnsafeBufferPointer(rebasing: output[row * count..<(row + 1) * count])
  }
}
