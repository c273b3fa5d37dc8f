import Foundation

/// What a run achieved, as values, JSON and text.
public struct TrainingSummary: Encodable, Sendable {
  public var model: String, data: String
  /// Height and width of the input in pixels.
  public var input: [Int]
  public var classes: Int, parameters: Int
  /// Number of completed epochs.
  public var epochs: Int
  /// False for a run that a signal stopped.
  public var finished: Bool
  /// A classifier's latest validation.
  public var top1: Double?, top5: Double?, loss: Double?
  public var bestTop1: Double?, bestEpoch: Int?, bestMetric: Double?
  /// Time that this process spent on the run.
  public var seconds: Double, imagesPerSecond: Double?
  /// Fraction of the time spent waiting for images.
  public var waiting: Double
  public var brokenImages: Int
  /// Paths of the run's folder, its checkpoints and its report.
  public var folder: String, last: String, best: String?, report: String?

  enum CodingKeys: String, CodingKey {
    case model, data, input, classes, parameters, epochs, finished, top1, top5, loss, seconds, waiting, folder, last
    case best, report, metrics
    case bestMetric = "best_metric"
    case bestTop1 = "best_top1"
    case bestEpoch = "best_epoch"
    case imagesPerSecond = "images_per_second"
    case brokenImages = "broken_images"
  }

  /// The validation metrics of any task by name, and the best epoch's selecting metric.
  public var metrics: [String: Double]
  private var titles: [String]
  private var bestText: String?

  public init<Task: TrainingTask>(_ run: TrainingRun<Task>, _ ending: TrainingEnding) {
    let state = run.state
    model = run.modules.graph.name
    data = run.data.trainingName
    metrics = Dictionary(
      uniqueKeysWithValues: Task.metrics.compactMap { metric in
        state.history.series(metric.name).last.map { (metric.name, $0.value) }
      })
    titles = Task.metrics.filter(\.isValidation).compactMap { metric in
      state.history.series(metric.name).last.map { metric.text($0.value) }
    }
    bestText = state.best.flatMap { best in
      Task.metrics.first { $0.name == Task.bestMetric }.map { "best \($0.text(best.metric)) after epoch \(best.epoch)" }
    }
    input = [run.data.size.height, run.data.size.width]
    classes = run.data.classNames.count
    parameters = run.parameterCount
    epochs = state.epoch
    finished = ending == .finished
    top1 = state.history.series("val/top1").last?.value
    top5 = state.history.series("val/top5").last?.value
    loss = state.history.series("val/loss").last?.value
    bestTop1 = Task.bestMetric == "val/top1" ? state.best?.metric : nil
    bestMetric = state.best?.metric
    bestEpoch = state.best?.epoch
    seconds = run.seconds
    imagesPerSecond = run.imagesPerSecond
    waiting = run.waiting
    brokenImages = run.broken.count
    folder = run.folder.path
    last = run.folder.checkpoint(.last)
    best = state.best == nil ? nil : run.folder.checkpoint(.best)
    report = finished ? run.folder.report : nil
  }

  /// The summary on a few lines.
  public var text: String {
    var lines = [
      "\(model) on \(data): \(epochs) epochs, \(TrainingProgress.duration(seconds)) in this process"
        + (finished ? "" : ", stopped; resume with --resume \(folder)")
    ]
    if !titles.isEmpty { lines.append(titles.joined(separator: ", ")) }
    if let bestText, let best { lines.append("\(bestText): \(best)") }
    if let imagesPerSecond {
      lines.append(
        String(
          format: "%.0f images/s while training, %.1f %% of the time waiting for images", imagesPerSecond,
          waiting * 100))
    }
    if brokenImages > 0 { lines.append("\(brokenImages) broken images were skipped") }
    if let report { lines.append("report: \(report)") }
    return lines.joined(separator: "\n")
  }
}
