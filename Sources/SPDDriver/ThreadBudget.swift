import Foundation
import SPDRuntime

/// The default number of OpenMP threads, and what limits it.
package struct ThreadBudget: Sendable, Equatable {
  /// Number of processors in the affinity mask of this process.
  package var affinity: Int
  /// CPU quota of the control group (container, batch system) in processors; nil without a quota.
  package var quota: Double?
  /// The first number of `OMP_NUM_THREADS`.
  package var requested: Int?
  /// The variable that limits the threads of a process, such as `OMP_THREAD_LIMIT`, and its value.
  package var limit: (variable: String, count: Int)?

  package static func == (a: Self, b: Self) -> Bool {
    (a.affinity, a.quota, a.requested) == (b.affinity, b.quota, b.requested)
      && a.limit?.variable == b.limit?.variable && a.limit?.count == b.limit?.count
  }

  /// - Throws: `Failure` if `OMP_NUM_THREADS` is invalid: OpenMP libraries abort on it.
  package init(affinity: Int, quota: Double?, environment: [String: String]) throws {
    self.affinity = max(1, affinity)
    self.quota = quota
    if let text = environment["OMP_NUM_THREADS"], !text.allSatisfy(\.isWhitespace) {
      // A list has one number per level of nested parallelism.
      let first = text.split(separator: ",", omittingEmptySubsequences: false)[0].trimmingCharacters(in: .whitespaces)
      guard let count = Int32(first), count >= 1 else {
        throw Failure(
          .usage,
          "OMP_NUM_THREADS is “\(text)”, which is not a valid number of threads; set it to 1 or more, or unset it")
      }
      requested = Int(count)
    }
    // OpenMP ignores invalid values of these too.
    for variable in Self.limitVariables {
      guard let count = environment[variable].flatMap({ Int($0.trimmingCharacters(in: .whitespaces)) }), count >= 1
      else {
        continue
      }
      if count < limit?.count ?? .max { limit = (variable, count) }
    }
  }

  /// The variables of the OpenMP standard and of LLVM's library.
  private static let limitVariables = ["OMP_THREAD_LIMIT", "KMP_DEVICE_THREAD_LIMIT", "KMP_ALL_THREADS"]

  /// A quota of 1.5 processors keeps two threads busy; 0.5 keeps one.
  private var quotaThreads: Int? { quota.map { $0 < 1e6 ? max(1, Int($0.rounded(.up))) : Int.max } }

  package var threads: Int {
    min([affinity, quotaThreads, requested, limit?.count].compactMap(\.self).min()!, 1024)
  }

  /// What limits the number: "affinity", "CPU quota of 1.5 of the control group".
  package var reason: String {
    let threads = threads
    if let limit, limit.count == threads, threads < affinity { return "\(limit.variable)=\(limit.count)" }
    if let requested, requested == threads, threads < affinity { return "OMP_NUM_THREADS=\(requested)" }
    if let quota, quotaThreads == threads, threads < affinity {
      return String(format: "CPU quota of %g of the control group", quota)
    }
    return "affinity"
  }

  /// Why OpenMP granted fewer threads than requested, if the environment limits them.
  package var limitation: String? {
    limit.map { "\($0.variable) is \($0.count): raise or unset it, or remove --threads" }
  }
}

extension Machine {
  /// The budget of this process, from its environment at start.
  private static let budget = Result {
    try ThreadBudget(
      affinity: affinity, quota: ControlGroup().processors, environment: ProcessInfo.processInfo.environment)
  }

  /// Returns the thread budget of this process.
  ///
  /// - Throws: `Failure` if `OMP_NUM_THREADS` is invalid.
  package static func threadBudget() throws -> ThreadBudget { try budget.get() }

  /// Default number of threads.
  package static var processors: Int { (try? threadBudget().threads) ?? affinity }

  /// Adjusts the environment before the OpenMP library reads it on first use. The library aborts on numbers that are too
  /// large, and with `OMP_DYNAMIC` it may grant fewer threads than a session's arena is sized for.
  ///
  /// - Throws: `Failure` if `OMP_NUM_THREADS` is invalid.
  package static func prepareOpenMP() throws {
    _ = try threadBudget()
    _ = isOpenMPPrepared
  }

  private static let isOpenMPPrepared: Void = {
    // Loops that take as many threads as there are, such as packing, go by it too.
    setenv("OMP_NUM_THREADS", "\(processors)", 1)
    unsetenv("OMP_DYNAMIC")
  }()

  private static let affinity: Int = {
    // `Cpus_allowed:	ff,ffffffff`. Foundation counts all processors of the machine, ignoring affinity.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let mask = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }?.dropFirst("Cpus_allowed:".count)
    let count = (mask ?? "").reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
    return count > 0 ? count : ProcessInfo.processInfo.activeProcessorCount
  }()
}
