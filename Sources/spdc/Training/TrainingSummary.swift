import Foundation
import SPDDriver
import SPDTraining

/// The summary printed at the end of a run.
struct TrainingSummary: Encodable {
  var model: String, data: String, input: [Int], classes: Int, parameters: Int
  var epochs: Int, finished: Bool
  var top1: Double?, top5: Double?, loss: Double?
  var bestTop1: Double?, bestEpoch: Int?
  /// Time that this process spent on the run.
  var seconds: Double, imagesPerSecond: Double?
  /// Fraction of the time spent waiting for images.
  var waiting: Double
  var brokenImages: Int
  var folder: String, last: String, best: String?, report: String?

  enum CodingKeys: String, CodingKey {
    case model, data, input, classes, parameters, epochs, finished, top1, top5, loss, seconds, waiting, folder, last
    case best, report
    case bestTop1 = "best_top1"
    case bestEpoch = "best_epoch"
    case imagesPerSecond = "images_per_second"
    case brokenImages = "broken_images"
  }

  init(_ run: TrainingRun<ClassificationTask>, _ ending: TrainingEnding) {
    let state = run.state
    model = run.modules.graph.name
    data = run.data.training.name
    input = [run.data.size.height, run.data.size.width]
    classes = run.data.classNames.count
    parameters = run.parameterCount
    epochs = state.epoch
    finished = ending == .finished
    top1 = state.history.series("val/top1").last?.value
    top5 = state.history.series("val/top5").last?.value
    loss = state.history.series("val/loss").last?.value
    bestTop1 = state.best?.metric
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
    if let top1, let top5, let loss {
      Console.print(String(format: "top-1 %.2f %%, top-5 %.2f %%, loss %.4f", top1 * 100, top5 * 100, loss))
    }
    if let bestTop1, let bestEpoch, let best {
      Console.print(String(format: "best top-1 %.2f %% after epoch %d: %@", bestTop1 * 100, bestEpoch, best))
    }
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
