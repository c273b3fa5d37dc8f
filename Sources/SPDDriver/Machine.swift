import Foundation
import SPDCompiler

/// Properties of this machine that generated code depends on.
package enum Machine {
  /// The best target for this machine, named `native`.
  package static let native: Target = {
    var target = base
    target.name = "native"
    if let l2 = l2Bytes { target.l2Bytes = l2 }
    #if arch(x86_64)
      target.flags = ["-march=native"] + (target.lanes == 16 ? ["-mprefer-vector-width=512"] : [])
    #endif
    return target
  }()

  package static func target(named name: String) throws -> Target {
    if name == "native" { return native }
    guard let target = Target.named.first(where: { $0.name == name }) else {
      let names = (["native"] + Target.named.map(\.name)).joined(separator: ", ")
      throw Failure(.usage, "there is no target \(name); available: \(names)")
    }
    return target
  }

  /// Whether this machine's C compilers can generate code for a target, which it may not be able to run.
  package static func builds(_ target: Target) -> Bool {
    #if arch(x86_64)
      return target.name != "aarch64"
    #else
      return runs(target)
    #endif
  }

  /// Whether this machine can run code for a target.
  package static func runs(_ target: Target) -> Bool {
    #if arch(x86_64)
      return target.name != "aarch64" && target.lanes <= base.lanes
    #elseif arch(arm64)
      return !target.name.hasPrefix("x86")
    #else
      return target.name == "scalar"
    #endif
  }

  private static let base: Target = {
    #if arch(x86_64)
      let flags = Set(processorFlags)
      if flags.isSuperset(of: ["avx512f", "avx512dq", "avx512bw", "avx512vl", "fma"]) { return .x86v4 }
      return flags.isSuperset(of: ["avx2", "fma"]) ? .x86v3 : .x86
    #elseif arch(arm64)
      return .aarch64
    #else
      return .scalar
    #endif
  }()

  /// CPU feature flags from /proc/cpuinfo, such as `avx2`.
  package static let processorFlags: [String] = info("flags")?.split(separator: " ").map(String.init) ?? []

  package static let processorName: String = info("model name") ?? "unknown processor"

  /// Identifies the processor that code for `native` depends on.
  package static let identity = ([processorName] + processorFlags.sorted()).joined(separator: " ")

  private static func info(_ key: String) -> String? {
    // Elsewhere than on Linux there is no such file: the processor stays unknown, and code is made for the baseline.
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    return text.split(separator: "\n").first { $0.hasPrefix(key) }?
      .split(separator: ":", maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static let l2Bytes: Int? = {
    let path = "/sys/devices/system/cpu/cpu0/cache/index2/size"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines),
      text.hasSuffix("K"), let size = Int(text.dropLast())
    else { return nil }
    return size << 10
  }()
}
