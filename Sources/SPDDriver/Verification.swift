import Foundation
import SPD
import SPDCompiler
import SPDFormats
import SPDReference

/// Compiled C against its reference: every intermediate result, then the output.
package struct Verification: Encodable {
  package var model: String, ok: Bool
  /// The first layer with a value beyond the tolerance.
  package var firstOff: String?
  /// The largest deviation of the output.
  package var maxDelta: Double
  package var layers: [Comparison]
  private let absolute, relative: Double

  private enum CodingKeys: String, CodingKey { case model, ok, firstOff, maxDelta, layers }

  /// Runs a network, and the interpreter on the same graph.
  ///
  /// - Parameters:
  ///   - model: model file, graph or name of a shipped model.
  ///   - options: compile options. Weights are synthetic unless given.
  ///   - input: path of an array, or `synthetic`.
  ///   - expected: path of the expected output; nil: the interpreter's. Several outputs are numbered as by ``numbered(_:_:)``.
  ///   - absolute: a value may deviate by this and `relative` times the largest value of its result.
  /// - Throws: `Failure` or an error that converts to one: arrays of other shapes, weights of another network.
  package init(
    _ model: String, options: CompileOptions, input: String, against expected: String?, absolute: Double,
    relative: Double, threads: Int
  ) async throws {
    let array = input == "synthetic" ? nil : try await readInput(input, for: model)
    let shape = array.map(\.shape)
    var options = options
    options.weights = options.weights ?? "synthetic"
    let weighted = try await options.load(model, size: shape.map { Size2D($0[2], $0[3]) }, batch: shape?[0])
    let builder = try Builder(target: options.target)
    let pipeline = try await options.tuned(weighted.graph, builder, threads: threads)
    // Without buffer reuse every intermediate result can be read after the run.
    let compiled = try builder.compile(weighted.graph, options: pipeline, reuse: false)
    let network = try await builder.load(compiled)
    let packed = try network.pack(try weighted.weights.file(for: weighted.graph))
    let session = try network.session(packed, threads: threads)
    if let array, array.shape != network.inputShape {
      throw Failure(
        .data,
        "\(input) has the shape \(crossed(array.shape)), but \(network.name) takes \(crossed(network.inputShape))")
    }
    let values = array?.values ?? syntheticInput(weighted.graph.input.shape)
    let output = try session.infer(values)
    layers = try compiled.compareLayers(weighted, session, values, absolute: absolute, relative: relative)
    let wanted =
      try expected.map { try Self.expectedOutput($0, network.name, shapes: network.outputShapes) }
      ?? Self.interpreted(weighted, values)
    layers.append(
      Comparison(
        "output", "against \(expected ?? "the interpreter on the graph as declared")", output, wanted,
        absolute: absolute, relative: relative))
    self.model = network.name
    firstOff = layers.first { !$0.isWithin }?.layer
    ok = firstOff == nil
    maxDelta = layers.last?.maxDelta ?? 0
    (self.absolute, self.relative) = (absolute, relative)
  }

  /// The outputs of the interpreter. That of the graph as declared checks the passes, too.
  private static func interpreted(_ weighted: Weighted, _ input: [Float]) throws -> [Float] {
    let progress = Progress("interpreting as declared", total: weighted.graph.nodes.count)
    defer { progress.finish() }
    return try Interpreter(graph: weighted.graph, parameters: weighted.weights.values(of: weighted.graph))
      .outputs(input: input, progress: { done, _ in progress.update(done) }).flatMap { $0 }
  }

  /// Reads the expected arrays of all outputs, concatenated; several are numbered as `run` writes them.
  private static func expectedOutput(_ path: String, _ name: String, shapes: [[Int]]) throws -> [Float] {
    try shapes.enumerated().flatMap { index, shape in
      let path = shapes.count == 1 ? path : numbered(path, index)
      let file = try readNPY(path)
      guard file.shape == shape else {
        throw Failure(.data, "\(path) has the shape \(crossed(file.shape)), but \(name) gives \(crossed(shape))")
      }
      return file.values
    }
  }

  /// The results as a table, and the first that is off.
  package var text: String {
    let rows = layers.map {
      [
        $0.isWithin ? "ok" : "OFF", String(format: "%.2e", $0.maxDelta), String(format: "%.2e", $0.maxValue), $0.layer,
        $0.node,
      ]
    }
    let table = columns([["", "max|Δ|", "max|y|", "layer", "node"]] + rows, right: [1, 2])
    guard let off = layers.first(where: { !$0.isWithin }) else {
      return table + "\n\(layers.count) results within \(absolute) + \(relative)·max|y|"
    }
    return table
      + "\nfirst off: \(off.layer), \(off.beyond) of \(off.count) values beyond \(absolute) + \(relative)·max|y|\n  \(off.node)"
  }
}
