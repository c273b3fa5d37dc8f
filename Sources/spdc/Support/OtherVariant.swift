import ArgumentParser
import SPDCompiler
import SPDDriver

/// What `--compare` names: the same network, compiled in another way.
struct OtherVariant: ExpressibleByArgument {
  var name: String
  var change: @Sendable (inout Pipeline.Options) -> Void
  /// Whether each space-to-depth is compared too.
  var bySite = false

  /// A variant is one line: its name, and what it changes in how the network is compiled.
  private static let variants: [(name: String, change: @Sendable (inout Pipeline.Options) -> Void)] = [
    ("unfused", { $0.unfused = true }),
    ("exact", { $0.kernels.algorithms = .exact }),
    ("low-memory", { $0.kernels.algorithms = .lowMemory }),
    ("untuned", { $0.kernels.learned = [:] }),
  ]

  static let allValueStrings = variants.map(\.name) + ["disable:<pass>", "sites"]

  init?(argument: String) {
    bySite = argument == "sites"
    name = bySite ? "unfused" : argument
    if let variant = Self.variants.first(where: { [name] in $0.name == name }) {
      change = variant.change
    } else if argument.hasPrefix("disable:") {
      let pass = String(argument.dropFirst("disable:".count))
      change = { $0.disabled.insert(pass) }
    } else {
      return nil
    }
  }
}
