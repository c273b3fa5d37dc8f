import ArgumentParser
import SPD
import SPDCompiler
import SPDDriver

/// How much memory a training step may take for what it computes, with gradients where their parameters are updated in backward;
/// the arrays of the state come on top.
struct ArenaLimit: ParsableArguments {
  @Option(
    name: .customLong("max-arena"),
    help: ArgumentHelp(
      "Of training: results are computed again on the way back until the arena fits, e.g. 300MB.",
      discussion: "Those of convolutions; those of normalisations are computed again anyway.", valueName: "size"))
  var maxArena: ByteCount?

  /// The same options with as many convolutions recomputed as the limit takes.
  func apply(
    to options: Pipeline.Options, _ graph: Graph, _ builder: Builder, threads: Int
  ) throws -> Pipeline.Options {
    guard let limit = maxArena?.bytes else { return options }
    return try builder.fitting(options, graph, arena: limit, threads: threads)
  }
}

/// `300MB`, `1.5GB`, `800kB` or a number of bytes.
struct ByteCount: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    let units = ["kb": 1e3, "mb": 1e6, "gb": 1e9, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1.0, "": 1.0]
    let number = argument.prefix { $0.isNumber || $0 == "." }
    let unit = argument.dropFirst(number.count).trimmingPrefix(" ").lowercased()
    guard let value = Double(number), let factor = units[unit], value > 0, value * factor < 1e15 else { return nil }
    bytes = Int(value * factor)
  }
}
