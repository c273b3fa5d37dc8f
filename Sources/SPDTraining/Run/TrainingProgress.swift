import Foundation
import SPDDriver

/// The progress within an epoch, and its text form. It prints nothing itself.
public struct TrainingProgress: Equatable, Sendable {
  public var epoch: Int
  public var epochs: Int
  public var iteration: Int
  public var iterations: Int
  /// Averages over the epoch so far as text: `loss 0.5312`, `top-1 93.20 %`.
  public var measures: [String]
  public var imagesPerSecond: Double?
  /// Estimated time to the end of the last epoch.
  public var secondsLeft: Double?

  /// - Parameters:
  ///   - epoch: counted from 1.
  ///   - iteration: number of completed iterations.
  public init(
    epoch: Int, epochs: Int, iteration: Int, iterations: Int, measures: [String] = [],
    imagesPerSecond: Double? = nil, secondsLeft: Double? = nil
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.iteration = iteration
    self.iterations = iterations
    self.measures = measures
    self.imagesPerSecond = imagesPerSecond
    self.secondsLeft = secondsLeft
  }

  /// Returns a line for a terminal with at most `width` columns. If space is short, it drops the time left, then the speed,
  /// then the bar.
  public func bar(width: Int) -> String {
    let head = "  " + place
    var details = self.details
    let shortest = 8
    while true {
      let tail = details.joined(separator: "  ")
      let room = width - head.count - tail.count - 4
      if room >= shortest {
        let length = min(26, room)
        let bar = Progress.bar(iteration, of: iterations, width: length)
        return [head, bar, tail].filter { !$0.isEmpty }.joined(separator: "  ")
      }
      guard details.count > 2 else { break }
      details.removeLast()
    }
    return String(([head] + details).joined(separator: "  ").prefix(max(0, width)))
  }

  /// The progress as one line for a log.
  public var line: String {
    ([place, "iteration \(iteration)/\(iterations)"] + details).joined(separator: "  ")
  }

  private var place: String {
    // Pad to the width of the last epoch's number, so that the bar does not move.
    let number = String(epoch)
    let padding = String(repeating: " ", count: max(0, String(epochs).count - number.count))
    return "epoch \(padding)\(number)/\(epochs)"
  }

  private var details: [String] {
    var details = measures
    if let imagesPerSecond { details.append(String(format: "%.0f img/s", imagesPerSecond)) }
    if let secondsLeft { details.append(Self.duration(secondsLeft) + " left") }
    return details
  }

  /// Formats a duration: `9 s`, `3 min 20 s`, `2 h 05 min`, `4 d 3 h`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "forever" }
    let total = max(0, Int(seconds.rounded()))
    switch total {
    case ..<60: return "\(total) s"
    case ..<3600: return String(format: "%d min %02d s", total / 60, total % 60)
    case ..<86400: return String(format: "%d h %02d min", total / 3600, total % 3600 / 60)
    default: return "\(total / 86400) d \(total % 86400 / 3600) h"
    }
  }
}

/// Throughput over the last 30 seconds, from the times at which iterations ended.
public struct Throughput: Sendable {
  private var marks: [(second: Double, images: Int)]
  private var images = 0
  private static let window = 30.0

  /// - Parameter second: time of any monotonic clock.
  public init(startingAt second: Double) { marks = [(second, 0)] }

  public mutating func add(images count: Int, at second: Double) {
    images += count
    marks.append((second, images))
    // Keep the last mark before the window, so that there are always two.
    while marks.count > 2, marks[1].second <= second - Self.window { marks.removeFirst() }
  }

  /// The throughput; nil before the first iteration.
  public var imagesPerSecond: Double? {
    guard let last = marks.last, last.second > marks[0].second else { return nil }
    return Double(last.images - marks[0].images) / (last.second - marks[0].second)
  }
}

/// The rate of progress lines: ten per second on a terminal, one per 30 seconds in a log.
public struct ProgressPace: Sendable {
  private let interval: Double
  private var last: Double

  public init(isTerminal: Bool, startingAt second: Double) {
    interval = isTerminal ? 0.1 : 30
    last = second
  }

  public mutating func isDue(at second: Double) -> Bool {
    guard second - last >= interval else { return false }
    last = second
    return true
  }
}
