import ArgumentParser
import SPDCompiler
import SPDDriver

/// The variant named by `--compare`: the same network with other compile options.
struct OtherVariant: ExpressibleByArgument {
  var name: String
  var change: @Sendable (inout Pipeline.Options) -> Void
  /// Whether each space-to-depth is timed too.
  var bySite = false

  /// The name of each variant and how it changes the compile options.
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
