import Foundation

/// What goes to the terminal: results to standard output, everything else to standard error.
enum Console {
  static let isTerminal = isatty(2) == 1

  static func error(_ message: String) { write("spdc: error: \(message)\n", to: STDERR_FILENO) }
  static func warning(_ message: String) { write("spdc: warning: \(message)\n", to: STDERR_FILENO) }
  static func note(_ message: String) { write(message + "\n", to: STDERR_FILENO) }

  /// A line of a result. A result that cannot be written is a failure, unless its reader has gone away.
  static func print(_ line: String) {
    guard !write(line + "\n", to: STDOUT_FILENO), errno != EPIPE else { return }
    error("standard output cannot be written: \(String(cString: strerror(errno)))")
    Interruption.cleanUp()
    exit(Failure.Code.cannotWrite.rawValue)
  }

  /// Any result as JSON, keys in a fixed order.
  static func print(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // JSON has no such numbers.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Text that stays on the line, for progress.
  static func draw(_ text: String) { write(text, to: STDERR_FILENO) }

  /// False, with `errno`, if not all of it could be written.
  @discardableResult
  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var written = 0
      while written < bytes.count {
        let count = Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count >= 0 { written += count } else if errno != EINTR { return false }
      }
      return true
    }
  }
}

/// A line that tells how far something is, redrawn in place on a terminal and silent elsewhere.
final class Progress {
  private let title: String
  private let total: Int
  private let start = ContinuousClock.now
  private var drawn: ContinuousClock.Instant?

  init(_ title: String, total: Int = 0) {
    self.title = title
    self.total = total
  }

  /// - Parameter done: of `total`; draws at most ten times a second, and nothing in the first half second.
  func update(_ done: Int, _ detail: String = "") {
    let now = ContinuousClock.now
    guard Console.isTerminal, now - start > .milliseconds(500) else { return }
    if let drawn, now - drawn < .milliseconds(100) { return }
    drawn = now
    let seconds = String(format: "%.1f s", (now - start).seconds)
    var line = "\r\u{1B}[K  \(title)  "
    if total > 0 {
      let width = 26
      let filled = min(width, width * done / total)
      line +=
        String(repeating: "━", count: filled) + String(repeating: "╌", count: width - filled) + "  \(done)/\(total)"
    }
    line += "  \(seconds)"
    if total > 0, done > 0, done < total {
      let left = (now - start).seconds * Double(total - done) / Double(done)
      line += String(format: ", %.0f s left", left)
    }
    Console.draw(line + (detail.isEmpty ? "" : "  \(detail)"))
  }

  /// Removes the line.
  func finish() {
    if drawn != nil { Console.draw("\r\u{1B}[K") }
    drawn = nil
  }

  /// Redraws with the elapsed time while something runs that reports nothing.
  func during<Result>(_ body: () async throws -> Result) async rethrows -> Result {
    let ticker = Task { [title, start] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(200))
        guard Console.isTerminal, !Task.isCancelled, ContinuousClock.now - start > .milliseconds(500) else { continue }
        Console.draw(String(format: "\r\u{1B}[K  \(title)  %.1f s", (ContinuousClock.now - start).seconds))
      }
    }
    defer {
      ticker.cancel()
      if Console.isTerminal { Console.draw("\r\u{1B}[K") }
    }
    return try await body()
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
  var milliseconds: Double { seconds * 1000 }
}

/// 24646557 → 24,646,557
func grouped(_ value: Int) -> String {
  var digits = String(abs(value))
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits.removeLast(3)
  }
  groups.insert(digits, at: 0)
  return (value < 0 ? "-" : "") + groups.joined(separator: ",")
}

func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
