import Foundation

/// A progress line, redrawn in place.
package final class Progress {
  private let title: String
  private let total: Int
  private let start = ContinuousClock.now
  private var drawn: ContinuousClock.Instant?

  package init(_ title: String, total: Int = 0) {
    self.title = title
    self.total = total
  }

  /// Redraws the line at most ten times per second, and not within the first half second.
  ///
  /// - Parameter done: completed units of `total`.
  package func update(_ done: Int) {
    let now = ContinuousClock.now
    guard Messages.drawsProgress, now - start > .milliseconds(500) else { return }
    if let drawn, now - drawn < .milliseconds(100) { return }
    drawn = now
    let seconds = (now - start).seconds
    var line = "  \(title)  "
    if total > 0 {
      line += Self.bar(done, of: total, width: 26) + "  \(done)/\(total)"
    }
    line += String(format: "  %.1f s", seconds)
    if total > 0, done > 0, done < total {
      line += String(format: ", %.0f s left", seconds * Double(total - done) / Double(done))
    }
    Messages.progress(line)
  }

  /// A bar of `width` characters.
  package static func bar(_ done: Int, of total: Int, width: Int) -> String {
    let filled = total > 0 ? min(width, max(0, width * done / total)) : 0
    return String(repeating: "━", count: filled) + String(repeating: "╌", count: width - filled)
  }

  /// Removes the line.
  package func finish() {
    if drawn != nil { Messages.progress("") }
    drawn = nil
  }

  /// Shows the elapsed time while `body` runs.
  package func during<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    let ticker = Task { [title, start] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(200))
        let elapsed = ContinuousClock.now - start
        guard Messages.drawsProgress, !Task.isCancelled, elapsed > .milliseconds(500) else { continue }
        Messages.progress(String(format: "  \(title)  %.1f s", elapsed.seconds))
      }
    }
    defer {
      ticker.cancel()
      if Messages.drawsProgress { Messages.progress("") }
    }
    return try await body()
  }
}
