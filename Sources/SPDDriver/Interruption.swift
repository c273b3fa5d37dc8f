import Foundation
import Synchronization

/// Handles SIGINT, SIGTERM and SIGHUP: files being written are completed or removed before the process ends.
package enum Interruption {
  private struct State {
    var tasks: [UUID: @Sendable () -> Void] = [:]
    var temporaries: Set<String> = []
    var isOver = false
  }

  private static let state = Mutex(State())
  /// Held while files are written, so that a signal cannot end the process between writing and renaming.
  private static let writing = NSRecursiveLock()
  nonisolated(unsafe) private static var wire: (read: Int32, write: Int32) = (-1, -1)

  /// Runs a task that a signal cancels, such as a compiler. Does not return after a signal.
  package static func cancellable<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let id = UUID()
    let task = Task { try await body() }
    state.withLock { $0.tasks[id] = { task.cancel() } }
    let result = await task.result
    let isOver = state.withLock { state in
      state.tasks[id] = nil
      return state.isOver
    }
    if isOver { try await Task.sleep(for: .seconds(60)) }
    return try result.get()
  }

  /// Registers a path that is removed after `body`, or by a signal.
  package static func temporary<Result>(_ path: String, _ body: () async throws -> Result) async throws -> Result {
    state.withLock { _ = $0.temporaries.insert(path) }
    defer {
      try? FileManager.default.removeItem(atPath: path)
      state.withLock { _ = $0.temporaries.remove(path) }
    }
    return try await body()
  }

  /// Defers signals while `body` runs.
  package static func shielded<Result>(_ body: () throws -> Result) rethrows -> Result {
    writing.lock()
    defer { writing.unlock() }
    return try body()
  }

  /// Removes all temporary paths, for an early exit.
  package static func cleanUp() {
    for path in state.withLock({ $0.temporaries }) { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Installs the handlers. Call once, before anything is written.
  package static func install() {
    // A file size limit must fail the write, not kill the process.
    signal(SIGXFSZ, SIG_IGN)
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    wire = (ends[0], ends[1])
    Thread.detachNewThread {
      var number: UInt8 = 0
      while read(wire.read, &number, 1) < 0, errno == EINTR {}
      end(Int32(number))
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // Keep signals ignored under `nohup`.
      var current = sigaction()
      sigaction(number, nil, &current)
      if Platform.isIgnored(current) { continue }
      signal(number) { number in
        var byte = UInt8(number)
        write(Interruption.wire.write, &byte, 1)
      }
    }
  }

  private static func end(_ number: Int32) {
    // A second signal ends the process at once.
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
    for cancel in state.withLock({
      $0.isOver = true
      return Array($0.tasks.values)
    }) { cancel() }
    _ = writing.lock(before: Date(timeIntervalSinceNow: 5))
    // Give cancelled compilers time to close their files.
    usleep(100_000)
    cleanUp()
    kill(getpid(), number)
    sleep(1)
    _exit(128 + number)
  }
}
