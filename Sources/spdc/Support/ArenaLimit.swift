import ArgumentParser
import SPD
import SPDCompiler

/// How much memory a training step may take for what it computes, with gradients where their parameters are updated in backward;
/// the arrays of the state come on top.
struct ArenaLimit: ParsableArguments {
  @Option(
    name: .customLong("max-arena"),
    help: ArgumentHelp(
      "Of training: results are computed again on the way back until the arena fits, e.g. 300MB.",
      discussion: "Those of convolutions; those of normalisations are computed again anyway.", valueName: "size"))
  var maxArena: ByteCount?

  /// The same options with as many convolutions computed again as it takes.
  ///
  /// - Throws: `ArenaTooSmall` if it does not fit even so.
  func apply(to options: Pipeline.Options, _ graph: Graph, _ builder: Builder, threads: Int) throws -> Pipeline.Options
  {
    guard let limit = maxArena?.bytes else { return options }
    return try Self.apply(limit, to: options, graph, builder, threads: threads)
  }

  /// - Parameter limit: in bytes.
  static func apply(
    _ limit: Int, to options: Pipeline.Options, _ graph: Graph, _ builder: Builder, threads: Int
  ) throws -> Pipeline.Options {
    func attempt(_ convolutions: Int) throws -> (options: Pipeline.Options, bytes: Int, most: Int) {
      var options = options
      options.recomputedConvolutions = convolutions
      let (lowered, _, plan) = try builder.plan(graph, options: options)
      return (options, plan.arenaBytes(threads: threads), lowered.recomputableConvolutions)
    }
    let none = try attempt(0)
    if none.bytes <= limit { return none.options }
    // More of them mostly take less memory, but not always: what is computed again early waits in memory for its turn.
    let stride = max(1, none.most / 16)
    var least = none.bytes
    var best: (options: Pipeline.Options, bytes: Int, most: Int)?
    var (low, high) = (0, 0)
    while best == nil, high < none.most {
      (low, high) = (high, min(high + stride, none.most))
      let tried = try attempt(high)
      least = min(least, tried.bytes)
      if tried.bytes <= limit { best = tried }
    }
    guard var best else {
      throw ArenaTooSmall(
        description:
          "the arena of \(graph.name) for \(graph.input.shape.batch) images needs \(megabytes(least)) at least: "
          + "raise --max-arena, or take a smaller --batch or --size")
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      let tried = try attempt(middle)
      if tried.bytes <= limit {
        (high, best) = (middle, tried)
      } else {
        low = middle
      }
    }
    return best.options
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

/// A training step does not fit into the memory that it may take.
struct ArenaTooSmall: Error, CustomStringConvertible {
  var description: String
}
