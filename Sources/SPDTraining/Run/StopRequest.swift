import Foundation
import SPDDriver
import Synchronization

/// Ctrl-C, `kill` and a closed terminal while a training runs: it ends by itself at the next step, with a checkpoint.
package enum StopRequest {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP]
  private static let flag = Atomic<Bool>(false)
  /// What the signals did before, in the order of `numbers`.
  nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 3)

  package static var hasCome: Bool { flag.load(ordering: .relaxed) }

  /// Runs `body` with signals that only set a flag. The second signal does what it did before.
  package static func watched<Result>(_ body: () throws -> Result) rethrows -> Result {
    for (index, number) in numbers.enumerated() {
      (previous + index).initialize(to: sigaction())
      sigaction(number, nil, previous + index)
      // `nohup` stays in force.
      if Platform.isIgnored(previous[index]) { continue }
      signal(number) { _ in
        StopRequest.flag.store(true, ordering: .relaxed)
        StopRequest.restore()
      }
    }
    // A reader of the messages that goes away does not end the training.
    let pipe = signal(SIGPIPE, SIG_IGN)
    defer {
      restore()
      signal(SIGPIPE, pipe)
    }
    return try body()
  }

  /// May be called by a signal handler.
  private static func restore() {
    sigaction(SIGINT, previous, nil)
    sigaction(SIGTERM, previous + 1, nil)
    sigaction(SIGHUP, previous + 2, nil)
  }
}
