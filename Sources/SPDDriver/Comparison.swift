import SPD
import SPDCompiler
import SPDReference
import SPDRuntime

extension Builder.Compiled {
  /// Compares every intermediate result of the last run of `session` with the interpreter's.
  ///
  /// The network must be planned without buffer reuse. See `Comparison` for the tolerances.
  package func compareLayers(
    _ weighted: Weighted, _ session: Session, _ input: [Float], absolute: Double, relative: Double
  ) throws -> [Comparison] {
    let graph = plan.graph
    let progress = Progress("interpreting", total: graph.nodes.count)
    defer { progress.finish() }
    let arena = session.arenaFloats
    var comparisons: [Comparison] = []
    _ = try Interpreter(graph: graph, parameters: weighted.weights.values(of: weighted.graph)).run(
      input: input,
      onNode: { node, values in
        guard let buffer = plan.buffers.first(where: { $0.node == node.id }) else { return }
        let found = buffer.layout.unblocked(arena, at: buffer.offset)
        comparisons.append(
          Comparison(
            node.layer, "%\(node.id) = \(graph.expression(of: node))  \(node.source)", found, values.floats,
            absolute: absolute, relative: relative))
      },
      progress: { done, _ in progress.update(done) })
    return comparisons
  }
}

/// The deviation of one result from its reference. The tolerance is `absolute` + `relative` · the largest value.
package struct Comparison: Encodable {
  package var layer: String
  package var node: String
  package var count: Int
  package var maxDelta = 0.0
  package var maxValue = 0.0
  /// Number of values beyond the tolerance, including unexpected NaN.
  package var beyond = 0
  package var isWithin: Bool { beyond == 0 }

  package init(
    _ layer: String, _ node: String, _ found: [Float], _ expected: [Float], absolute: Double, relative: Double
  ) {
    self.layer = layer
    self.node = node
    count = expected.count
    maxValue = expected.reduce(0) { $1.isFinite ? max($0, Double(abs($1))) : $0 }
    // Rounding errors scale with the largest summands of a result, not with each of its values.
    let limit = absolute + relative * maxValue
    for (a, b) in zip(found, expected) {
      if a.bitPattern == b.bitPattern { continue }
      let delta = abs(Double(a) - Double(b))
      if !(delta <= limit), !(a.isNaN && b.isNaN) { beyond += 1 }
      maxDelta = delta.isNaN ? .infinity : max(maxDelta, delta)
    }
  }
}

extension TensorLayout {
  /// Returns a result as N×C×H×W.
  package func unblocked(_ arena: UnsafeBufferPointer<Float>, at offset: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(shape.count)
    for image in 0..<shape.batch {
      for channel in 0..<shape.channels {
        for row in 0..<shape.height {
          for column in 0..<shape.width {
            values.append(arena[offset + index(image: image, channel: channel, row: row, column: column)])
          }
        }
      }
    }
    return values
  }
}
