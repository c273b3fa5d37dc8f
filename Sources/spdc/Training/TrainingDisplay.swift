import Foundation
import SPDDriver
import SPDTraining

/// Shows the progress of a run on standard error: a bar on a terminal, occasional lines in a log, and a line per epoch.
final class TrainingDisplay: TrainingObserver {
  /// How much is shown.
  enum Volume {
    case nothing
    /// Progress only, for a run that is one of many.
    case progress
    case everything
  }

  private let volume: Volume
  private let start = ContinuousClock.now
  private var pace = ProgressPace(isTerminal: Console.isTerminal, startingAt: 0)
  private var isDrawn = false

  init(_ volume: Volume) { self.volume = volume }

  private var seconds: Double { (ContinuousClock.now - start).seconds }

  func step(_ progress: TrainingProgress) {
    guard volume != .nothing, pace.isDue(at: seconds) else { return }
    guard Console.isTerminal else { return Console.note(progress.line) }
    var size = winsize()
    let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    draw(progress.bar(width: isKnown ? Int(size.ws_col) : 80))
  }

  func validating(epoch: Int, of epochs: Int, done: Int, of total: Int) {
    guard volume != .nothing, Console.isTerminal, pace.isDue(at: seconds) else { return }
    draw("  epoch \(epoch)/\(epochs)  validating \(done)/\(total)")
  }

  func endEpoch(_ summary: EpochSummary) {
    finish()
    guard volume == .everything else { return }
    Console.note(summary.line)
  }

  func finish() {
    if isDrawn { Console.draw("") }
    isDrawn = false
  }

  private func draw(_ line: String) {
    Console.draw(line)
    isDrawn = true
  }
}
