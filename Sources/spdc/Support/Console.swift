import Foundation
import SPDDriver
import SPDFormats

/// What goes to the terminal: results to standard output, everything else to standard error.
///
/// Names out of files could move the cursor, hide text or pretend to be a message, so that lines are made printable here.
/// Within a line, a name that may hold a line feed needs `printable` of its own.
enum Console {
  static let isTerminal = isatty(2) == 1

  static func error(_ message: String) { write("spdc: error: \(lines(message))\n", to: STDERR_FILENO) }
  static func warning(_ message: String) { write("spdc: warning: \(lines(message))\n", to: STDERR_FILENO) }
  static func note(_ message: String) { write(lines(message) + "\n", to: STDERR_FILENO) }

  /// A line of a result. A result that cannot be written is a failure, unless its reader has gone away.
  static func print(_ line: String) { print(exactly: lines(line)) }

  /// Text that is for programs, which read it as it is.
  static func print(exactly text: String) {
    guard !write(text + "\n", to: STDOUT_FILENO), errno != EPIPE else { return }
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
    print(exactly: String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Draws a line of progress over the one before; empty: removes it.
  static func draw(_ line: String) { write("\r\u{1B}[K" + printable(line), to: STDERR_FILENO) }

  /// Each line made printable.
  private static func lines(_ text: String) -> String {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }
      .joined(separator: "\n")
  }

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

/// Messages of the libraries on standard error.
struct ConsoleMessages: MessageHandler {
  var drawsProgress: Bool { Console.isTerminal }
  func note(_ text: String) { Console.note(text) }
  func warning(_ text: String) { Console.warning(text) }
  func progress(_ line: String) { Console.draw(line) }
}
