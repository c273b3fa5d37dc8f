import Foundation

/// Limits of Linux control groups, v1 and v2, on this process (containers, systemd, batch systems).
///
/// The limits of all enclosing groups apply, so the effective limit is their minimum.
package struct ControlGroup: Sendable {
  /// Folders of this process's groups by controller, from the innermost to the outermost visible one.
  private var folders: [Controller: [String]] = [:]

  private enum Controller: String { case cpu, memory, unified }

  /// - Parameter root: a folder used instead of `/`, for tests.
  package init(root: String = "") {
    func lines(_ path: String) -> [Substring] {
      ((try? String(contentsOfFile: root + path, encoding: .utf8)) ?? "").split(separator: "\n")
    }
    // v1: `4:cpu,cpuacct:/path`; v2: `0::/path`.
    var paths: [Controller: String] = [:]
    for line in lines("/proc/self/cgroup") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      for name in parts[1].isEmpty ? ["unified"] : parts[1].split(separator: ",") {
        if let controller = Controller(rawValue: String(name)) { paths[controller] = String(parts[2]) }
      }
    }
    // `31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu`: root of the mount, then mount point.
    for line in lines("/proc/self/mountinfo") {
      let halves = line.components(separatedBy: " - ")
      guard halves.count == 2 else { continue }
      let fields = halves[0].split(separator: " ").map(String.init)
      let system = halves[1].split(separator: " ").map(String.init)
      guard fields.count >= 5, let kind = system.first, let options = system.last else { continue }
      let controllers: [Controller] =
        switch kind {
        case "cgroup2": [.unified]
        case "cgroup": options.split(separator: ",").compactMap { Controller(rawValue: String($0)) }
        default: []
        }
      for controller in controllers where folders[controller] == nil {
        guard let path = paths[controller] else { continue }
        folders[controller] = Self.ancestors(of: path, mounted: fields[3], at: root + fields[4])
      }
    }
  }

  private static func ancestors(of path: String, mounted part: String, at place: String) -> [String] {
    // In a container the path may be the host's, mounted here as the root.
    var rest = part != "/" && path.hasPrefix(part) ? String(path.dropFirst(part.count)) : path
    if !FileManager.default.fileExists(atPath: place + rest) { rest = "" }
    var folders: [String] = []
    while !rest.isEmpty, rest != "/" {
      folders.append(place + rest)
      rest = String(rest[..<(rest.lastIndex(of: "/") ?? rest.startIndex)])
    }
    return folders + [place]
  }

  /// CPU quota in processors; nil without a quota.
  package var processors: Double? {
    var quotas: [Double] = []
    for folder in folders[.unified] ?? [] {
      // `50000 100000`, or `max 100000`.
      let numbers = Self.text(folder, "cpu.max")?.split(separator: " ").map { Double($0) } ?? []
      if numbers.count == 2, let quota = numbers[0], let period = numbers[1], period > 0 {
        quotas.append(quota / period)
      }
    }
    for folder in folders[.cpu] ?? [] {
      guard let quota = Self.number(folder, "cpu.cfs_quota_us"), quota > 0,
        let period = Self.number(folder, "cpu.cfs_period_us"), period > 0
      else { continue }
      quotas.append(Double(quota) / Double(period))
    }
    return quotas.min()
  }

  /// Remaining memory in bytes; nil without a limit.
  package var memory: Int? {
    var rests: [Int] = []
    func add(_ folder: String, limit: String, usage: String) {
      // Without a limit, v1 reports the largest number of pages.
      guard let limit = Self.number(folder, limit), limit < 1 << 60, let usage = Self.number(folder, usage) else {
        return
      }
      // The kernel drops its file cache under memory pressure.
      let files = Self.text(folder, "memory.stat")?.split(separator: "\n")
        .first { $0.hasPrefix("inactive_file ") || $0.hasPrefix("total_inactive_file ") }
        .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
      rests.append(max(0, limit - usage + min(files ?? 0, usage)))
    }
    for folder in folders[.unified] ?? [] { add(folder, limit: "memory.max", usage: "memory.current") }
    for folder in folders[.memory] ?? [] { add(folder, limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes") }
    return rests.min()
  }

  private static func text(_ folder: String, _ name: String) -> String? {
    try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private static func number(_ folder: String, _ name: String) -> Int? { text(folder, name).flatMap { Int($0) } }
}
