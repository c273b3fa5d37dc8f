import Foundation
import SPD
import SPDCompiler
import SPDReference
import Testing

@testable import SPDDriver

extension Workshop {
  /// What the driver `train` writes after two steps: losses and gradients of the first, values after the second.
  func trained(
    _ sample: Sample, _ variant: Variant, _ compiler: String, _ flags: [String], openMP: Bool,
    environment: [String: String] = [:]
  ) async throws -> [Float] {
    let program = try await program("train", sample, variant, compiler, flags)
    let file = try await once("trained \(sample) \(variant) \(compiler) \(flags)") { place in
      let graph = try sample.graph()
      let state = StateLayout(graph)
      var values = [Float](repeating: 0, count: state.count)
      for (entry, parameter) in zip(state.entries, graph.storedParameters) {
        values.replaceSubrange(entry.offset..<entry.offset + entry.count, with: syntheticParameter(parameter))
      }
      var paths: [String] = []
      let boxes = syntheticBoxes(graph).flatMap { $0 }
      for (name, numbers) in [("state", values), ("input", syntheticInput(graph.input.shape)), ("targets", boxes)] {
        let path = place.appendingPathComponent("\(name).f32")
        try numbers.withUnsafeBytes { Data($0) }.write(to: path)
        paths.append(path.path)
      }
      let output = place.appendingPathComponent("output.f32")
      try await self.mustRun(program.path, paths + [output.path, openMP ? "1" : "0"], environment: environment)
      return output
    }
    return try floats(file)
  }
}

/// Rows of a detector's training: image, class, and the box as shares of the image.
private func syntheticBoxes(_ graph: Graph) -> [[Float]] {
  (0..<12).map { index in
    let u = uniform("target \(index)", 5)
    return [
      Float(index % graph.input.shape.batch), Float(Int(u[4] * 80)), u[0], u[1], 0.1 + 0.4 * u[2], 0.1 + 0.4 * u[3],
    ]
  }
}

/// The interpreter's training steps for the graph after all passes, each computed once.
actor TrainingReference {
  static let shared = TrainingReference()
  private var tasks: [Sample: Task<TrainingResult, any Error>] = [:]

  /// Expects the loss and the gradients that `Workshop.trained` returned to be those of double precision.
  func expect(_ result: [Float], _ sample: Sample) async throws {
    let expected = try await self.result(sample)
    let loss = expected.losses[0]
    #expect(abs(Double(result[0]) - loss) <= 2e-5 * max(1, abs(loss)), "\(result[0]) and \(loss)")
    let state = StateLayout(try sample.graph())
    #expect(result.count == 4 + 2 * state.count)
    let norms = expected.gradients.mapValues { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let largest = norms.values.max() ?? 0
    for entry in state.entries where entry.group >= 0 {
      let gradient = try #require(expected.gradients[entry.name])
      let found = result[4 + entry.offset..<4 + entry.offset + entry.count]
      let error = zip(found, gradient).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
      let norm = norms[entry.name] ?? 0
      // NaN is not within it either.
      #expect(error <= 1e-3 * max(norm, 1e-3 * largest), "\(entry.name): \(error) of \(norm)")
    }
    let areFinite = result.allSatisfy { $0.isFinite }
    #expect(areFinite)
  }

  private func result(_ sample: Sample) async throws -> TrainingResult {
    if tasks[sample] == nil {
      tasks[sample] = Task.detached {
        let graph = try sample.graph()
        var options = Pipeline.Options()
        options.mode = .training
        let lowered = try Pipeline.run(graph, options: options).graph
        let boxes = syntheticBoxes(graph).map { row in
          LossOracle.Target(image: Int(row[0]), label: Int(row[1]), row[2], row[3], row[4], row[5])
        }
        return try Interpreter(graph: lowered, precision: .double, parameters: syntheticParameters(of: graph))
          .trainingStep(
            input: syntheticInput(graph.input.shape),
            labels: (0..<graph.input.shape.batch).map { $0 * 7 % graph.classes }, targets: boxes)
      }
    }
    return try await tasks[sample]!.value
  }
}
