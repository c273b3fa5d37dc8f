import Foundation
import SPDRuntime

/// How many OpenMP threads a computation gets where nobody asks for a number, and what decides it.
package struct ThreadBudget: Sendable, Equatable {
  /// Processors that the scheduler may put this process on.
  package var affinity: Int
  /// Processors' worth of time that a control group (a container, a batch system) allows; nil without a quota.
  package var quota: Double?
  /// The first number of `OMP_NUM_THREADS`.
  package var requested: Int?
  /// The variable that limits all threads of a process, such as `OMP_THREAD_LIMIT`, and its number.
  package var limit: (variable: String, count: Int)?

  package static func == (a: Self, b: Self) -> Bool {
    (a.affinity, a.quota, a.requested) == (b.affinity, b.quota, b.requested)
      && a.limit?.variable == b.limit?.variable && a.limit?.count == b.limit?.count
  }

  /// - Throws: `Failure` where `OMP_NUM_THREADS` is no number of threads: OpenMP's libraries abort on it.
  package init(affinity: Int, quota: Double?, environment: [String: String]) throws {
    self.affinity = max(1, affinity)
    self.quota = quota
    if let text = environment["OMP_NUM_THREADS"], !text.allSatisfy(\.isWhitespace) {
      // A list has a number for each level of nested parallelism.
      let first = text.split(separator: ",", omittingEmptySubsequences: false)[0].trimmingCharacters(in: .whitespaces)
      guard let count = Int32(first), count >= 1 else {
        throw Failure(
          .usage, "OMP_NUM_THREADS is “\(text)”, which is no number of threads; set it to 1 or more, or unset it")
      }
      requested = Int(count)
    }
    // What is no number here OpenMP ignores too.
    for variable in Self.limitVariables {
      guard let count = environment[variable].flatMap({ Int($0.trimmingCharacters(in: .whitespaces)) }), count >= 1
      else {
        continue
      }
      if count < limit?.count ?? .max { limit = (variable, count) }
    }
  }

  /// OpenMP's own, and those of LLVM's library.
  private static let limitVariables = ["OMP_THREAD_LIMIT", "KMP_DEVICE_THREAD_LIMIT", "KMP_ALL_THREADS"]

  /// A quota of 1.5 processors keeps two threads busy; 0.5 keeps one.
  private var quotaThreads: Int? { quota.map { $0 < 1e6 ? max(1, Int($0.rounded(.up))) : Int.max } }

  package var threads: Int {
    min([affinity, quotaThreads, requested, limit?.count].compactMap(\.self).min()!, 1024)
  }

  /// What decides the number, for people: "affinity", "CPU quota of 1.5 (control group)".
  package var reason: String {
    let threads = threads
    if let limit, limit.count == threads, threads < affinity { return "\(limit.variable)=\(limit.count)" }
    if let requested, requested == threads, threads < affinity { return "OMP_NUM_THREADS=\(requested)" }
    if let quota, quotaThreads == threads, threads < affinity {
      return String(format: "CPU quota of %g of the control group", quota)
    }
    return "affinity"
  }

  /// Why OpenMP granted fewer threads than were asked for, if the environment says it.
  package var limitation: String? {
    limit.map { "\($0.variable) is \($0.count): raise or unset it, or leave --threads out" }
  }
}

extension Machine {
  /// That of this process, as it was started.
  private static let budget = Result {
    try ThreadBudget(
      affinity: affinity, quota: ControlGroup().processors, environment: ProcessInfo.processInfo.environment)
  }

  /// - Throws: `Failure` where the environment has no sensible number.
  package static func threadBudget() throws -> ThreadBudget { try budget.get() }

  /// Threads to compute on where nobody asks for a number.
  package static var processors: Int { (try? threadBudget().threads) ?? affinity }

  /// Makes the environment fit for OpenMP's library, which reads it when it is first used: it aborts on numbers that are too
  /// large, and with `OMP_DYNAMIC` it grants fewer threads than the arena of a session is made for.
  ///
  /// - Throws: `Failure` where `OMP_NUM_THREADS` is no number of threads.
  package static func prepareOpenMP() throws {
    _ = try threadBudget()
    _ = isOpenMPPrepared
  }

  private static let isOpenMPPrepared: Void = {
    // Loops that take as many threads as there are, such as packing, go by it too.
    setenv("OMP_NUM_THREADS", "\(processors)", 1)
    unsetenv("OMP_DYNAMIC")
  }()

  /// Processors that the scheduler may put this process on.
  private static let affinity: Int = {
    // `Cpus_allowed:	ff,ffffffff`. Foundation counts the machine's processors, whatever this process may use.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let mask = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }?.dropFirst("Cpus_allowed:".count)
    let count = (mask ?? "").reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
    return count > 0 ? count : ProcessInfo.processInfo.activeProcessorCount
  }()
}
