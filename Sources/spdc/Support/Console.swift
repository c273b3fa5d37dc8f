import Foundation
import SPDDriver
import SPDFormats

/// Writes results to standard output and everything else to standard error.
///
/// Control characters are escaped here: names from files could otherwise move the cursor, hide text or imitate a message.
/// A name that may contain a line feed must be passed through `printable` by the caller.
enum Console {
  static let isTerminal = isatty(2) == 1

  static func error(_ message: String) { write("spdc: error: \(lines(message))\n", to: STDERR_FILENO) }
  static func warning(_ message: String) { write("spdc: warning: \(lines(message))\n", to: STDERR_FILENO) }
  static func note(_ message: String) { write(lines(message) + "\n", to: STDERR_FILENO) }

  /// Prints a line of a result. A write error ends the command, except for a closed pipe.
  static func print(_ line: String) { print(exactly: lines(line)) }

  /// Prints machine-readable text without escaping.
  static func print(exactly text: String) {
    guard !write(text + "\n", to: STDOUT_FILENO), errno != EPIPE else { return }
    error("standard output cannot be written: \(String(cString: strerror(errno)))")
    Interruption.cleanUp()
    exit(Failure.Code.cannotWrite.rawValue)
  }

  /// Prints a result as JSON with sorted keys.
  static func print(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // JSON has no literals for these numbers.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    print(exactly: String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Replaces the progress line; an empty line removes it.
  static func draw(_ line: String) { write("\r\u{1B}[K" + printable(line), to: STDERR_FILENO) }

  /// Escapes control characters within each line.
  private static func lines(_ text: String) -> String {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }
      .joined(separator: "\n")
  }

  /// Writes all of the text.
  ///
  /// - Returns: false, with `errno` set, on a write error.
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

/// Prints the libraries' messages to standard error.
struct ConsoleMessages: MessageHandler {
  var drawsProgress: Bool { Console.isTerminal }
  func note(_ text: String) { Console.note(text) }
  func warning(_ text: String) { Console.warning(text) }
  func progress(_ line: String) { Console.draw(line) }
}
