import ArgumentParser
import SPD
import SPDCompiler
import SPDDriver

/// Limits the arena of a training step. The arena includes gradients if parameters are updated in the backward pass; the
/// state arrays are not part of it.
struct ArenaLimit: ParsableArguments {
  @Option(
    name: .customLong("max-arena"),
    help: ArgumentHelp(
      "Maximum arena of a training step, e.g. 300MB, reached by recomputing activations in the backward pass.",
      discussion: "Recomputes convolutions as needed (activation checkpointing); normalisations are always recomputed.",
      valueName: "size"))
  var maxArena: ByteCount?

  /// Returns options that recompute as many convolutions as the limit requires.
  func apply(
    to options: Pipeline.Options, _ graph: Graph, _ builder: Builder, threads: Int
  ) throws -> Pipeline.Options {
    guard let limit = maxArena?.bytes else { return options }
    return try builder.fitting(options, graph, arena: limit, threads: threads)
  }
}

/// A memory size: `300MB`, `1.5GB`, `800kB` or a number of bytes.
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
