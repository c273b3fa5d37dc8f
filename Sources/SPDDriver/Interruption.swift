import Foundation
import Synchronization

/// Ctrl-C, `kill` and a closed terminal: what is being written is finished or taken back before the process ends.
package enum Interruption {
  private struct State {
    var tasks: [UUID: @Sendable () -> Void] = [:]
    var temporaries: Set<String> = []
    var isOver = false
  }

  private static let state = Mutex(State())
  /// Held while files are written: no process ends between a temporary file and its final name.
  private static let writing = NSRecursiveLock()
  nonisolated(unsafe) private static var wire: (read: Int32, write: Int32) = (-1, -1)

  /// Runs what a signal should cancel, such as a compiler. Nothing comes back once a signal has come.
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

  /// A path that is removed if a signal comes.
  package static func temporary<Result>(_ path: String, _ body: () async throws -> Result) async throws -> Result {
    state.withLock { _ = $0.temporaries.insert(path) }
    defer {
      try? FileManager.default.removeItem(atPath: path)
      state.withLock { _ = $0.temporaries.remove(path) }
    }
    return try await body()
  }

  /// Holds signals back while something is written in place.
  package static func shielded<Result>(_ body: () throws -> Result) rethrows -> Result {
    writing.lock()
    defer { writing.unlock() }
    return try body()
  }

  /// Removes what is temporary, for an end in the middle.
  package static func cleanUp() {
    for path in state.withLock({ $0.temporaries }) { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Once, before anything is written.
  package static func install() {
    // A full quota is an error of the write, not the end of the process.
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
      // `nohup` stays in force.
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
    // The second signal ends at once.
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
    for cancel in state.withLock({
      $0.isOver = true
      return Array($0.tasks.values)
    }) { cancel() }
    _ = writing.lock(before: Date(timeIntervalSinceNow: 5))
    // Compilers that were stopped let go of their files.
    usleep(100_000)
    cleanUp()
    kill(getpid(), number)
    sleep(1)
    _exit(128 + number)
  }
}
