import SPDCompiler
import SPDRuntime

/// A training step on one synthetic batch of images with labels or boxes, for benchmarks.
package struct TrainingStep {
  package let trainer: Trainer
  private let input: [Float]
  private let supervision: Plan.Supervision
  private let labels: [Int32]
  private let boxes: [[Float]]
  private let expected: [Float]

  package init(_ trainer: Trainer, input: [Float], supervision: Plan.Supervision) {
    self.trainer = trainer
    self.input = input
    let network = trainer.network
    let batch = network.inputShape[0]
    self.supervision = supervision
    labels = (0..<batch).map { Int32($0 * 7 % network.classes) }
    // Eight boxes per image, with sides from 0.02 to 0.32 of the image's.
    boxes = (0..<batch * 8).map { index in
      let u = uniform("target \(index)", 5)
      return [
        Float(index / 8), Float(Int(u[4] * Float(network.classes))), u[0], u[1], 0.02 + 0.3 * u[2], 0.02 + 0.3 * u[3],
      ]
    }
    expected = if case .numbers(let shape) = supervision { uniform("expected", shape.count) } else { [] }
  }

  /// Runs a training step.
  ///
  /// - Parameter steps: range of parallel loops to run; nil runs the whole step with the update.
  package func run(_ steps: Range<Int>? = nil) throws -> [Float] {
    let update = Update(learningRate: 1e-3, momentum: 0.9, weightDecay: 5e-4)
    let targets: Targets =
      switch supervision {
      case .labels: .labels(labels)
      case .boxes: .boxes(boxes)
      case .numbers: .numbers(expected)
      }
    return try trainer.step(input, targets, update, steps: steps)
  }

  /// Times each parallel loop of a step.
  package func times(_ plan: Plan) throws -> [Benchmark.Step] {
    var times = Array(repeating: [Double](), count: plan.steps.count)
    for _ in 0..<5 {
      for index in times.indices {
        let begin = ContinuousClock.now
        _ = try run(index..<index + 1)
        times[index].append((ContinuousClock.now - begin).seconds * 1e3)
      }
    }
    return plan.steps.enumerated().map { index, step in
      let samples = Samples(times[index])
      let node = step.node.map { plan.graph[$0] }
      return Benchmark.Step(
        step: index, layer: node?.layer ?? "", kernel: step.kernel.template,
        text: node.map { plan.graph.expression(of: $0) } ?? step.purpose, minMs: samples.min, medianMs: samples.median,
        gflops: node.map { Double(plan.graph.cost(of: $0).flops) / samples.min / 1e6 } ?? 0)
    }
  }
}
