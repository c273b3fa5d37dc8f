import SPDCompiler

/// A variant of a network to compare it with: the same network with other compile options.
public struct OtherVariant: Sendable {
  public let name: String
  let change: @Sendable (inout Pipeline.Options) -> Void
  /// Whether each space-to-depth is timed too.
  public let bySite: Bool

  /// The name of each variant and how it changes the compile options.
  private static let variants: [(name: String, change: @Sendable (inout Pipeline.Options) -> Void)] = [
    ("unfused", { $0.unfused = true }),
    ("exact", { $0.kernels.algorithms = .exact }),
    ("low-memory", { $0.kernels.algorithms = .lowMemory }),
    ("untuned", { $0.kernels.learned = [:] }),
  ]

  /// The names that there are.
  public static let names = variants.map(\.name) + ["disable:<pass>", "sites"]

  /// - Parameter argument: one of ``names``: `unfused`, `exact`, `low-memory`, `untuned`, `disable:PASS`, or `sites`, which is
  ///   `unfused` with a time for each space-to-depth.
  /// - Returns: nil for any other name.
  public init?(argument: String) {
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
