import SPD
import SPDData
import SPDDriver
import SPDReport
import SPDRuntime

/// Image classification with softmax cross-entropy or the model's own loss, and top-1 and top-5 accuracy.
public struct ClassificationTask: TrainingTask {
  public init() {}

  public static let metrics = [
    TrainingMetric("train/loss", "loss", .loss), TrainingMetric("train/top1", "top-1", .fraction),
    TrainingMetric("val/loss", "loss", .loss), TrainingMetric("val/top1", "top-1", .fraction),
    TrainingMetric("val/top5", "top-5", .fraction),
  ]
  public static let bestMetric = "val/top1"

  public func data(_ configuration: TrainingConfiguration, model: LoadedModel) async throws -> TrainingData {
    try await TrainingData(configuration, model: model)
  }

  public func source(
    _ data: TrainingData, _ configuration: TrainingConfiguration, from position: BatchPosition, feedback: [Double]
  ) throws -> BatchLoader {
    try BatchLoader(
      data.training, transform: data.transform,
      options: LoaderOptions(
        batchSize: configuration.batch, seed: configuration.seed, isStrict: configuration.strict,
        threads: configuration.loaderThreads),
      from: position, epochs: configuration.epochs)
  }

  public func check(_ graph: Graph, for data: TrainingData) throws {
    let input = graph.input.shape
    if case .decodeBoxes = graph.nodes.last?.op {
      throw Failure(.usage, "\(graph.name) is a detector, but this command needs a classifier, such as resnet18-spd")
    }
    let output = graph.shape(of: graph.outputs[0])
    guard graph.outputs.count == 1, output.height == 1, output.width == 1, input.channels == 3 else {
      throw Failure(.usage, "\(graph.name) does not classify images: it maps \(input) to \(output)")
    }
    guard output.channels >= data.classNames.count else {
      throw Failure(
        .usage,
        "\(graph.name) has \(output.channels) classes, but \(data.training.name) has \(data.classNames.count)")
    }
  }

  public func targets(of batch: Batch, in graph: Graph, _ configuration: TrainingConfiguration) -> Targets {
    .labels(Array(batch.labels), smoothing: configuration.labelSmoothing)
  }

  public func measured(_ losses: [Float], images: Int) -> [String: Double] {
    ["train/loss": Double(losses[0]), "train/top1": Double(losses[1]) / Double(images)]
  }

  public func evaluate(
    _ validation: Validation<TrainingData>, _ parameters: ParameterFile, broken: inout BrokenImages,
    progress: (Int) -> Bool
  ) throws -> ClassificationEvaluation? {
    try ClassificationEvaluation.run(validation, parameters, broken: &broken, progress: progress)
  }

  public func count(_ evaluation: ClassificationEvaluation) -> Int { evaluation.confusion.total }
  public func waited(_ evaluation: ClassificationEvaluation) -> Double { evaluation.waited }

  public func values(_ evaluation: ClassificationEvaluation) -> [String: Double] {
    let metrics = evaluation.metrics
    return ["val/loss": metrics.loss.value, "val/top1": metrics.top1.value, "val/top5": metrics.top5.value]
      .compactMapValues(\.self)
  }

  public func sections(_ evaluation: ClassificationEvaluation, _ data: TrainingData) throws -> [ReportSection] {
    try ClassificationSections(
      confusion: evaluation.confusion, misclassified: evaluation.misclassified(in: data.validation),
      classNames: data.classNames
    ).sections
  }
}
