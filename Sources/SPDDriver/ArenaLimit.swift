import SPDCompiler
import SPD

extension Builder {
  /// The same options with as many convolutions recomputed in the backward pass as the arena's limit takes.
  ///
  /// - Parameter limit: maximum size of the arena of a training step in bytes.
  /// - Throws: `ArenaTooSmall` if it does not fit even so.
  package func fitting(
    _ options: Pipeline.Options, _ graph: Graph, arena limit: Int, threads: Int
  ) throws -> Pipeline.Options {
    func attempt(_ convolutions: Int) throws -> (options: Pipeline.Options, bytes: Int, most: Int) {
      var options = options
      options.recomputedConvolutions = convolutions
      let (lowered, _, plan) = try self.plan(graph, options: options)
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

/// A training step does not fit into the memory that it may take.
package struct ArenaTooSmall: FailureConvertible, CustomStringConvertible {
  package var description: String
  package var failure: Failure { Failure(.usage, description) }
}
