import Synchronization

/// Receives what the libraries say while they work. The command prints it; an application may show or log it.
public protocol MessageHandler: Sendable {
  /// What was found or chosen.
  func note(_ text: String)
  /// What the user should look at, though the work goes on.
  func warning(_ text: String)
  /// A progress line to draw over the one before; empty: remove it. Called only where `drawsProgress`.
  func progress(_ line: String)
  /// Whether progress lines are wanted.
  var drawsProgress: Bool { get }
}

/// Where messages go: nowhere, until a program sets a handler.
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
