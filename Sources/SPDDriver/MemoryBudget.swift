import Foundation

/// The memory available to this process, and what limits it.
package struct MemoryBudget: Sendable, Equatable {
  package var bytes: Int
  /// The limit in words: "of this machine", "under the control group's limit".
  package var limit: String

  package init(bytes: Int, limit: String) { (self.bytes, self.limit) = (bytes, limit) }

  /// The current budget of this process; nil if the system does not report it.
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

  /// Returns available memory plus free swap in bytes.
  ///
  /// - Parameter text: content of /proc/meminfo.
  package static func available(in text: String) -> Int? {
    func kilobytes(_ key: String) -> Int? {
      text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        .flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }
    }
    return kilobytes("MemAvailable").map { ($0 + (kilobytes("SwapFree") ?? 0)) << 10 }
  }

  /// Returns the size of this process's address space in bytes.
  private static func addressSpace() -> Int? {
    // The first number counts pages.
    let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return text?.split(separator: " ").first.flatMap { Int($0) }.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
  }

  /// Checks that the memory for a computation is available.
  ///
  /// - Parameters:
  ///   - parts: allocations with their purpose.
  ///   - network: the network and its batch, for the message.
  ///   - batch: images of the mini-batch.
  ///   - shared: purposes of allocations that do not grow with the batch, to name a batch that fits.
  ///   - budget: available memory; nil if unknown, which disables the check.
  /// - Throws: `NotEnoughMemory`.
  package static func require(
    _ parts: [(what: String, bytes: Int)], for network: String, batch: Int = 1, shared: Set<String> = [],
    of budget: MemoryBudget? = current
  ) throws {
    var total = 0
    for part in parts {
      let (sum, isTooLarge) = total.addingReportingOverflow(part.bytes)
      total = isTooLarge ? .max : sum
    }
    guard let budget, total > budget.bytes else { return }
    let list = parts.filter { $0.bytes > 0 }.map { "\($0.what) \(gigabytes($0.bytes))" }.joined(separator: ", ")
    throw NotEnoughMemory(
      description:
        "\(network) needs \(gigabytes(total)) of memory (\(list)), but \(gigabytes(budget.bytes)) are available "
        + "\(budget.limit): use "
        + (fitting(parts, batch: batch, shared: shared, of: budget).map { "--batch \($0), or a smaller --size" }
          ?? "a smaller --batch or --size"))
  }

  /// The largest batch that fits, rounded down to a power of two; nil if not even one image does.
  private static func fitting(
    _ parts: [(what: String, bytes: Int)], batch: Int, shared: Set<String>, of budget: MemoryBudget
  ) -> Int? {
    let fixed = parts.filter { shared.contains($0.what) }.reduce(0.0) { $0 + Double($1.bytes) }
    let growing = parts.filter { !shared.contains($0.what) }.reduce(0.0) { $0 + Double($1.bytes) }
    let images = (Double(budget.bytes) - fixed) * Double(batch) / growing
    guard batch > 1, images.isFinite, images >= 1 else { return nil }
    return 1 << Int(log2(min(images, 1e9)))
  }

  private static func gigabytes(_ bytes: Int) -> String {
    bytes < 1 << 29 ? megabytes(bytes) : String(format: "%.1f GB", Double(bytes) / 1e9)
  }
}

/// Thrown when a network does not fit into the available memory.
package struct NotEnoughMemory: FailureConvertible, CustomStringConvertible {
  package var description: String
  package var failure: Failure { Failure(.unavailable, description) }
}
