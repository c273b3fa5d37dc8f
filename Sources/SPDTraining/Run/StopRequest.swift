import Foundation
import SPDDriver
import Synchronization

/// Handles SIGINT, SIGTERM and SIGHUP during training: the run saves a checkpoint and ends after the current step.
package enum StopRequest {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP]
  private static let flag = Atomic<Bool>(false)
  /// Previous signal actions, in the order of `numbers`.
  nonisolated(unsafe) private static let previous = UnsafeMutablePointer<sigaction>.allocate(capacity: 3)

  package static var hasCome: Bool { flag.load(ordering: .relaxed) }

  /// Runs `body` while the first signal only sets a flag. A second signal has its previous action.
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
    // A closed pipe must not end the run.
    let pipe = signal(SIGPIPE, SIG_IGN)
    defer {
      restore()
      signal(SIGPIPE, pipe)
    }
    return try body()
  }

  /// Restores the previous actions. Async-signal-safe.
  private static func restore() {
    sigaction(SIGINT, previous, nil)
    sigaction(SIGTERM, previous + 1, nil)
    sigaction(SIGHUP, previous + 2, nil)
  }
}
