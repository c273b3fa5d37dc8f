import Synchronization

/// Receives messages of the libraries. The command prints them; an application may show or log them.
public protocol MessageHandler: Sendable {
  /// Receives information about what was found or chosen.
  func note(_ text: String)
  /// Receives a warning; the work continues.
  func warning(_ text: String)
  /// Receives a progress line that replaces the previous one; an empty line removes it. Called only if `drawsProgress`.
  func progress(_ line: String)
  /// Whether progress lines are wanted.
  var drawsProgress: Bool { get }
}

/// Routes messages to a handler; they are discarded until a program sets one.
public enum Messages {
  private struct Silence: MessageHandler {
    func note(_ text: String) {}
    func warning(_ text: String) {}
    func progress(_ line: String) {}
    var drawsProgress: Bool { false }
  }

  private static let current = Mutex<any MessageHandler>(Silence())

  /// Sends every message of this process to `handler` from now on.
  public static func handle(with handler: any MessageHandler) { current.withLock { $0 = handler } }

  private static var handler: any MessageHandler { current.withLock { $0 } }

  package static func note(_ text: String) { handler.note(text) }
  package static func warning(_ text: String) { handler.warning(text) }
  package static func progress(_ line: String) { handler.progress(line) }
  package static var drawsProgress: Bool { handler.drawsProgress }
}
