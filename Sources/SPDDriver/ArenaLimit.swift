import SPDCompiler
import SPD

extension Builder {
  /// Returns options that recompute as many convolutions in the backward pass as the arena limit requires.
  ///
  /// - Parameter limit: maximum size of the arena of a training step in bytes.
  /// - Throws: `ArenaTooSmall` if recomputing every convolution is not enough.
  package func fitting(
    _ options: Pipeline.Options, _ graph: Graph, arena limit: Int, threads: Int
  ) throws -> Pipeline.Options {
    func attempt(_ convolutions: Int) throws -> (options: Pipeline.Options, bytes: Int, maximum: Int) {
      var options = options
      options.recomputedConvolutions = convolutions
      let (lowered, _, plan) = try self.plan(graph, options: options)
      return (options, plan.arenaBytes(threads: threads), lowered.recomputableConvolutions)
    }
    let none = try attempt(0)
    if none.bytes <= limit { return none.options }
    // Recomputing more usually takes less memory, but not always: a result recomputed early stays live until its use.
    let stride = max(1, none.maximum / 16)
    var minimum = none.bytes
    var best: (options: Pipeline.Options, bytes: Int, maximum: Int)?
    var (low, high) = (0, 0)
    while best == nil, high < none.maximum {
      (low, high) = (high, min(high + stride, none.maximum))
      let tried = try attempt(high)
      minimum = min(minimum, tried.bytes)
      if tried.bytes <= limit { best = tried }
    }
    guard var best else {
      throw ArenaTooSmall(
        description:
          "the arena of \(graph.name) for \(graph.input.shape.batch) images needs at least \(megabytes(minimum)): "
          + "raise --max-arena, or use a smaller --batch or --size")
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

/// Thrown when a training step does not fit into the arena limit.
package struct ArenaTooSmall: FailureConvertible, CustomStringConvertible {
  package var description: String
  package var failure: Failure { Failure(.usage, description) }
}
