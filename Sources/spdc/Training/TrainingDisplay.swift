import Foundation
import SPDTraining

/// How far a training is, on standard error: a bar on a terminal, now and then a line in a log, and a line for each epoch.
struct TrainingDisplay {
  /// How much is said.
  enum Volume {
    case nothing
    /// Of a run among many.
    case progress
    case everything
  }

  let epochs: Int
  let iterations: Int
  let volume: Volume
  private let start = ContinuousClock.now
  private var throughput = Throughput(startingAt: 0)
  private var pace = ProgressPace(isTerminal: Console.isTerminal, startingAt: 0)
  private var isDrawn = false

  init(epochs: Int, iterations: Int, volume: Volume) {
    self.epochs = epochs
    self.iterations = iterations
    self.volume = volume
  }

  private var seconds: Double { (ContinuousClock.now - start).seconds }

  /// After a step. `state.iteration` are over.
  mutating func step(_ state: TrainingState, images: Int, validationSeconds: Double) {
    let now = seconds
    throughput.add(images: images, at: now)
    guard volume != .nothing, pace.isDue(at: now) else { return }
    let rate = throughput.imagesPerSecond
    let batch = Double(state.configuration.batch)
    let batchesLeft = Double((epochs - state.epoch) * iterations - state.iteration)
    draw(
      TrainingProgress(
        epoch: state.epoch + 1, epochs: epochs, iteration: state.iteration, iterations: iterations,
        loss: state.running["loss"]?.value, accuracy: state.running["top1"]?.value, imagesPerSecond: rate,
        secondsLeft: rate.map { batchesLeft * batch / $0 + Double(epochs - state.epoch) * validationSeconds }))
  }

  mutating func validating(_ state: TrainingState, _ done: Int, of total: Int) {
    guard volume != .nothing, Console.isTerminal, pace.isDue(at: seconds) else { return }
    Console.draw("\r\u{1B}[K  epoch \(state.epoch + 1)/\(epochs)  validating \(done)/\(total)")
    isDrawn = true
  }

  mutating func endEpoch(_ epoch: Int, _ row: [String: Double], isBest: Bool) {
    finish()
    // Time for validation does not count as time for training.
    throughput = Throughput(startingAt: seconds)
    guard volume == .everything else { return }
    let width = String(epochs).count
    var parts = ["epoch \(String(repeating: " ", count: width - String(epoch).count))\(epoch)/\(epochs)"]
    func add(_ key: String, _ text: (Double) -> String) { if let value = row[key] { parts.append(text(value)) } }
    add("train/loss") { String(format: "loss %.4f", $0) }
    add("train/top1") { String(format: "top-1 %5.2f %%", $0 * 100) }
    add("val/loss") { String(format: "| val loss %.4f", $0) }
    add("val/top1") { String(format: "top-1 %5.2f %%", $0 * 100) }
    add("val/top5") { String(format: "top-5 %5.2f %%", $0 * 100) }
    add("images_per_second") { String(format: "| %.0f images/s", $0) }
    add("seconds") { String(format: "%.1f s", $0) }
    if isBest { parts.append("best") }
    Console.note(parts.joined(separator: "  "))
  }

  mutating func finish() {
    if isDrawn { Console.draw("\r\u{1B}[K") }
    isDrawn = false
  }

  private mutating func draw(_ progress: TrainingProgress) {
    guard Console.isTerminal else { return Console.note(progress.line) }
    var size = winsize()
    let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    Console.draw("\r\u{1B}[K" + progress.bar(width: isKnown ? Int(size.ws_col) : 80))
    isDrawn = true
  }
}
