import Foundation

/// How much memory this process may still take, and what limits it.
package struct MemoryBudget: Sendable, Equatable {
  package var bytes: Int
  /// What limits it, for people: "of this machine", "under the control group's limit".
  package var limit: String

  package init(bytes: Int, limit: String) { (self.bytes, self.limit) = (bytes, limit) }

  /// That of this process now; nil where the system does not say.
  package static var current: MemoryBudget? {
    var budgets: [MemoryBudget] = []
    let information = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
    if let bytes = available(in: information) { budgets.append(MemoryBudget(bytes: bytes, limit: "of this machine")) }
    if let bytes = ControlGroup().memory {
      budgets.append(MemoryBudget(bytes: bytes, limit: "under the control group's limit"))
    }
    var limit = rlimit()
    #if os(Linux)
      let space = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
      let space = RLIMIT_AS
    #endif
    if getrlimit(space, &limit) == 0, limit.rlim_cur < 1 << 62, let taken = addressSpace() {
      budgets.append(MemoryBudget(bytes: max(0, Int(limit.rlim_cur) - taken), limit: "under `ulimit -v`"))
    }
    return budgets.min { $0.bytes < $1.bytes }
  }

  /// What can be had without killing anybody, with free swap space.
  ///
  /// - Parameter text: of /proc/meminfo.
  package static func available(in text: String) -> Int? {
    func kilobytes(_ key: String) -> Int? {
      text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }
    }
    return kilobytes("MemAvailable").map { ($0 + (kilobytes("SwapFree") ?? 0)) << 10 }
  }

  /// Bytes of address space that this process has.
  private static func addressSpace() -> Int? {
    // Pages, the first number.
    let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return text?.split(separator: " ").first.flatMap { Int($0) }.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
  }

  /// Makes sure, before anything is computed, that memory is there.
  ///
  /// - Parameters:
  ///   - parts: what is going to be allocated, and what for.
  ///   - network: the network and its batch, for the message.
  ///   - budget: what there is; nil: nobody knows, and nothing is refused.
  /// - Throws: `NotEnoughMemory`.
  package static func require(
    _ parts: [(what: String, bytes: Int)], for network: String, of budget: MemoryBudget? = current
  ) throws {
    var total = 0
    for part in parts {
      let (sum, isTooLarge) = total.addingReportingOverflow(part.bytes)
      total = isTooLarge ? .max : sum
    }
    guard let budget, total > budget.bytes else { return }
    let list = parts.filter { $0.bytes > 0 }.map { "\($0.what) \(gigabytes($0.bytes))" }.joined(separator: ", ")
    throw NotEnoughMemory(
      description: "\(network) needs \(gigabytes(total)) of memory (\(list)), but \(gigabytes(budget.bytes)) are free "
        + "\(budget.limit): take a smaller --batch or --size")
  }

  private static func gigabytes(_ bytes: Int) -> String {
    bytes < 1 << 29 ? megabytes(bytes) : String(format: "%.1f GB", Double(bytes) / 1e9)
  }
}

/// A network does not fit into the memory that is free.
package struct NotEnoughMemory: FailureConvertible, CustomStringConvertible {
  package var description: String
  package var failure: Failure { Failure(.unavailable, description) }
}
