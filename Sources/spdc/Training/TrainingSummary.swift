import Foundation
import SPDDriver
import SPDTraining

/// The summary printed at the end of a run.
struct TrainingSummary: Encodable {
  var model: String, data: String, input: [Int], classes: Int, parameters: Int
  var epochs: Int, finished: Bool
  var top1: Double?, top5: Double?, loss: Double?
  var bestTop1: Double?, bestEpoch: Int?, bestMetric: Double?
  /// Time that this process spent on the run.
  var seconds: Double, imagesPerSecond: Double?
  /// Fraction of the time spent waiting for images.
  var waiting: Double
  var brokenImages: Int
  var folder: String, last: String, best: String?, report: String?

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
  var metrics: [String: Double]
  private var titles: [String]
  private var bestText: String?

  init<Task: TrainingTask>(_ run: TrainingRun<Task>, _ ending: TrainingEnding) {
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

  func print() {
    Console.print(
      "\(model) on \(data): \(epochs) epochs, \(TrainingProgress.duration(seconds)) in this process"
        + (finished ? "" : ", stopped; resume with --resume \(folder)"))
    if !titles.isEmpty { Console.print(titles.joined(separator: ", ")) }
    if let bestText, let best { Console.print("\(bestText): \(best)") }
    if let imagesPerSecond {
      Console.print(
        String(
          format: "%.0f images/s while training, %.1f %% of the time waiting for images", imagesPerSecond,
          waiting * 100))
    }
    if brokenImages > 0 { Console.print("\(brokenImages) broken images were skipped") }
    if let report { Console.print("report: \(report)") }
  }
}
