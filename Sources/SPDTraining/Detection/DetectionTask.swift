import Foundation
import SPD
import SPDData
import SPDDetection
import SPDDriver
import SPDReport
import SPDRuntime

/// Object detection with YOLOv5's loss: CIoU for boxes, binary cross-entropy for objectness and classes.
public struct DetectionTask: TrainingTask {
  public init() {}

  public static let metrics = [
    TrainingMetric("train/box_loss", "box", .loss), TrainingMetric("train/obj_loss", "obj", .loss),
    TrainingMetric("train/cls_loss", "cls", .loss),
    TrainingMetric("metrics/precision", "P", .fraction), TrainingMetric("metrics/recall", "R", .fraction),
    TrainingMetric("metrics/mAP_0.5", "mAP50", .fraction),
    TrainingMetric("metrics/mAP_0.5:0.95", "mAP50-95", .fraction),
    TrainingMetric("val/box_loss", "box", .loss), TrainingMetric("val/obj_loss", "obj", .loss),
    TrainingMetric("val/cls_loss", "cls", .loss),
    TrainingMetric("metrics/fitness", "fitness", .fraction),
  ]
  public static let bestMetric = "metrics/fitness"
  /// The parameter groups in YOLOv5's order.
  public static let learningRates = [
    LearningRateColumn("x/lr0", .normalisation), LearningRateColumn("x/lr1", .weight),
    LearningRateColumn("x/lr2", .bias),
  ]
  /// YOLOv5's columns in its order, then those that it lacks.
  public static let columns =
    metrics.map(\.name).filter { $0 != bestMetric } + learningRates.map(\.name)
    + [bestMetric, "images_per_second", "seconds"]
  public static let transfersWeights = true

  public func data(_ configuration: TrainingConfiguration, model: LoadedModel) async throws -> DetectionTrainingData {
    try await DetectionTrainingData(configuration, model: model)
  }

  public func source(
    _ data: DetectionTrainingData, _ configuration: TrainingConfiguration, from position: BatchPosition,
    feedback: [Double]
  ) throws -> DetectionLoader {
    let detection = configuration.detection
    return try DetectionLoader(
      data.trainingImages, hyperparameters: detection.hyperparameters,
      options: DetectionLoaderOptions(
        batchSize: configuration.batch, imageSize: data.size.height, isRectangular: detection.rectangular,
        isMultiScale: detection.isMultiScale, cutMix: detection.cutMix, seed: configuration.seed,
        isStrict: configuration.strict, threads: configuration.loaderThreads),
      weights: detection.weighsImages ? try data.imageWeights(classAPs: feedback) : nil, from: position,
      epochs: detection.weighsImages ? position.epoch + 1 : configuration.epochs)
  }

  public func followsValidation(_ configuration: TrainingConfiguration) -> Bool { configuration.detection.weighsImages }

  /// The mAP of each class, with image weights.
  public func feedback(_ evaluation: DetectionEvaluation, _ configuration: TrainingConfiguration) -> [Double] {
    configuration.detection.weighsImages ? evaluation.metrics.classAPs : []
  }

  public func trainingSizes(_ data: DetectionTrainingData, _ configuration: TrainingConfiguration) -> [Size2D] {
    let side = data.size.height
    if configuration.detection.isMultiScale { return MultiScale.sizes(imageSize: side).map { Size2D($0, $0) } }
    guard configuration.detection.rectangular else { return [data.size] }
    return DetectionEvaluation.sizes(data.training, batch: configuration.batch, imageSize: side, pad: 0)
  }

  public func validationSizes(_ data: DetectionTrainingData, _ configuration: TrainingConfiguration) -> [Size2D] {
    DetectionEvaluation.sizes(data.validation, batch: configuration.batch, imageSize: data.size.height, pad: 0.5)
  }

  public func check(_ graph: Graph, for data: DetectionTrainingData) throws {
    guard let boxes = graph.boxes else {
      throw Failure(
        .usage, "\(graph.name) does not end in Detect: it is no detector, such as yolov5-spd-n")
    }
    guard boxes.classes == data.classNames.count else {
      throw Failure(
        .usage, "\(graph.name) has \(boxes.classes) classes, but \(data.trainingName) has \(data.classNames.count)")
    }
  }

  public func initialValues(
    _ drawn: [Float], of parameter: Parameter, in graph: Graph, _ data: DetectionTrainingData
  ) -> [Float] {
    if let boxes = graph.boxes, parameter.name == boxes.anchors, let anchors = data.anchors {
      return zip(anchors, boxes.strides).flatMap { level, stride in
        level.flatMap { [$0.x / Float(stride), $0.y / Float(stride)] }
      }
    }
    return zip(drawn, Self.offsets(of: parameter, in: graph)).map { $0 + $1 }
  }

  /// What is added to Detect's biases, so that training begins near the frequencies of objects and classes: objectness
  /// ln(8 / (640 / stride)²), each class ln(0.6 / (classes − 0.99)); 0 for other parameters.
  static func offsets(of parameter: Parameter, in graph: Graph) -> [Float] {
    guard let boxes = graph.boxes, let level = graph.headBiases.firstIndex(of: parameter.name) else {
      return [Float](repeating: 0, count: parameter.count)
    }
    let objectness = Float(log(8 / pow(640 / Double(boxes.strides[level]), 2)))
    let classes = Float(log(0.6 / (Double(boxes.classes) - 0.99)))
    return (0..<parameter.count).map { index in
      switch index % (boxes.classes + 5) {
      case 0..<4: 0
      case 4: objectness
      default: classes
      }
    }
  }

  public func maximumTargets(_ data: DetectionTrainingData, _ configuration: TrainingConfiguration) -> Int {
    let most = (0..<data.training.count).reduce(1) { max($0, data.training.labels($1).objects.count) }
    let hyperparameters = configuration.detection.hyperparameters
    // A mosaic has four images, MixUp two mosaics, and copy-paste at most doubles the objects.
    let images =
      (hyperparameters.mosaic > 0 ? 4 : 1) * (hyperparameters.mixup > 0 || configuration.detection.cutMix > 0 ? 2 : 1)
    return configuration.batch * most * images * (hyperparameters.copyPaste > 0 ? 2 : 1)
  }

  public func targets(of batch: DetectionBatch, in graph: Graph, _ configuration: TrainingConfiguration) -> Targets {
    let values = batch.paddedTargets
    return .boxes(
      stride(from: 0, to: values.count, by: 6).map { Array(values[$0..<$0 + 6]) },
      rates: configuration.detectionRates(graph, side: graph.input.shape.height))
  }

  public func measured(_ losses: [Float], images: Int) -> [String: Double] {
    ["train/box_loss": Double(losses[1]), "train/obj_loss": Double(losses[2]), "train/cls_loss": Double(losses[3])]
  }

  public func evaluate(
    _ validation: Validation<DetectionTrainingData>, _ parameters: ParameterFile, broken: inout BrokenImages,
    progress: (Int) -> Bool
  ) throws -> DetectionEvaluation? {
    let data = validation.data
    return try DetectionEvaluation.run(
      validation.networks, parameters: parameters, data.validationImages, classNames: data.classNames,
      imageSize: data.size.height, DetectionThresholds(),
      rates: validation.configuration.detectionRates(validation.networks.first.graph, side: data.size.height),
      threads: validation.threads,
      loaderThreads: validation.loaderThreads, isStrict: validation.isStrict, broken: &broken, progress: progress)
  }

  public func count(_ evaluation: DetectionEvaluation) -> Int { evaluation.images }
  public func waited(_ evaluation: DetectionEvaluation) -> Double { evaluation.seconds.waiting }

  public func values(_ evaluation: DetectionEvaluation) -> [String: Double] {
    let result = evaluation.metrics
    var values = [
      "metrics/precision": result.precision, "metrics/recall": result.recall, "metrics/mAP_0.5": result.map50,
      "metrics/mAP_0.5:0.95": result.map50To95, "metrics/fitness": 0.1 * result.map50 + 0.9 * result.map50To95,
    ]
    if let loss = evaluation.loss {
      values["val/box_loss"] = loss.box
      values["val/obj_loss"] = loss.objectness
      values["val/cls_loss"] = loss.classes
    }
    return values
  }

  public func sections(_ evaluation: DetectionEvaluation, _ data: DetectionTrainingData) throws -> [ReportSection] {
    try DetectionSections(evaluation, data).sections
  }
}

extension TrainingConfiguration {
  /// The loss's gains, scaled as in YOLOv5: box · 3 / levels, cls · classes / 80 · 3 / levels,
  /// obj · (size / 640)² · 3 / levels.
  ///
  /// - Parameter side: side of the square input of training in pixels.
  package func detectionRates(_ graph: Graph, side: Int) -> DetectionRates {
    var rates = DetectionRates()
    guard let boxes = graph.boxes else { return rates }
    let hyperparameters = detection.hyperparameters
    let levels = 3 / Double(boxes.strides.count)
    let side = Double(side)
    rates.box = hyperparameters.box * levels
    rates.classes = hyperparameters.cls * Double(boxes.classes) / 80 * levels
    rates.objectness = hyperparameters.obj * (side / 640) * (side / 640) * levels
    rates.anchorLimit = hyperparameters.anchorT
    rates.focalGamma = hyperparameters.flGamma
    rates.labelSmoothing = labelSmoothing
    rates.objectnessWeight = hyperparameters.objPW
    rates.classWeight = hyperparameters.clsPW
    return rates
  }
}

extension Graph {
  /// The decoding of boxes that ends a detector; nil for other networks.
  package var boxes: Op.DecodeBoxes? {
    guard case .decodeBoxes(let op)? = nodes.last?.op else { return nil }
    return op
  }

  /// The anchors that a detector was declared with, in pixels, level by level; nil for other networks.
  package var anchors: [[SIMD2<Float>]]? {
    guard let boxes, case .constant(let values)? = parameter(boxes.anchors)?.role else { return nil }
    let perLevel = 2 * boxes.anchorsPerLevel
    return boxes.strides.enumerated().map { level, stride in
      (0..<boxes.anchorsPerLevel).map {
        SIMD2(values[level * perLevel + 2 * $0], values[level * perLevel + 2 * $0 + 1]) * Float(stride)
      }
    }
  }

  /// Names of the biases of Detect's convolutions, level by level.
  package var headBiases: [String] {
    guard boxes != nil, let last = nodes.last else { return [] }
    return last.inputs.compactMap { head in
      guard var node = head.wholeNode(in: self).map({ nodes[$0] }) else { return nil }
      // A sigmoid may stand between.
      while node.op.parameterNames.isEmpty, let input = node.inputs.first?.wholeNode(in: self) { node = nodes[input] }
      return node.op.parameterNames.first { $0.hasSuffix("bias") }
    }
  }
}

extension DetectionBatch: MiniBatch {
  public var size: Size2D? { Size2D(height, width) }
}
extension DetectionLoader: BatchSource {}
