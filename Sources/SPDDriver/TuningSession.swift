import Foundation
import SPD
import SPDCompiler
import SPDRuntime

/// One network with its default kernels, and others that are measured against it.
package final class TuningSession {
  private let builder: Builder
  private let graph: Graph
  private let options: Pipeline.Options
  private let threads: Int
  private let parameters: ParameterFile
  private let input: [Float]
  private let expected: [Float]
  private let base: BenchVariant
  /// The least time of each of its steps so far.
  private var baseTimes: [Double]

  /// - Parameter options: with kernels learned earlier, which stay.
  package init(_ builder: Builder, _ graph: Graph, _ options: Pipeline.Options, threads: Int) async throws {
    (self.builder, self.graph, self.options, self.threads) = (builder, graph, options, threads)
    // Kernels take as long for any numbers.
    parameters = try Weights.synthetic.file(for: graph)
    input = syntheticInput(graph.input.shape)
    let compiled = try builder.compile(graph, options: options)
    base = try BenchVariant("default", compiled.plan, try await builder.load(compiled), parameters, threads: threads)
    expected = try base.session.infer(input)
    guard expected.allSatisfy(\.isFinite) else {
      throw Failure(.different, "the output for synthetic weights is not finite; nothing was measured")
    }
    baseTimes = Array(repeating: .infinity, count: compiled.plan.steps.count)
  }

  /// Milliseconds of the default kernels of a problem.
  package func defaultTime(of problem: TuningProblem) -> Double { Self.sum(baseTimes, problem, base.plan) }

  /// The network with other kernels. Nothing is timed before it is right.
  private func variant(_ kernels: [String: Kernel]) async throws -> BenchVariant {
    var options = options
    options.kernels.learned.merge(kernels) { $1 }
    let compiled = try builder.compile(graph, options: options)
    let variant = try BenchVariant(
      "tuned", compiled.plan, try await builder.load(compiled), parameters, threads: threads)
    for (a, b) in zip(try variant.session.infer(input), expected) where !(abs(a - b) <= 2e-3 + 1e-4 * abs(b)) {
      let used = Set(compiled.plan.steps.map(\.kernel.template)).sorted().joined(separator: ", ")
      throw Failure(
        .software, "a candidate of --tune is wrong: \(a) instead of \(b) in a network of \(used); nothing was stored")
    }
    return variant
  }

  /// How long each problem takes with a given kernel, step by step inside of the network, in turns with the default ones.
  package func times(of problems: [TuningProblem], _ kernels: [String: Kernel]) async throws -> [String: TuningStore
    .Entry]
  {
    let other = try await variant(kernels)
    let variants = [base, other]
    var least = variants.map { Array(repeating: Double.infinity, count: $0.plan.steps.count) }
    try inTurns(variants, sittings: 3) { index, _ in
      for step in least[index].indices {
        least[index][step] = min(least[index][step], try variants[index].time(input, steps: step..<step + 1))
      }
    }
    for step in baseTimes.indices { baseTimes[step] = min(baseTimes[step], least[0][step]) }
    return Dictionary(
      uniqueKeysWithValues: problems.map { problem in
        let entry = TuningStore.Entry(
          kernel: kernels[problem.key] ?? problem.candidates[0],
          milliseconds: Self.sum(least[1], problem, other.plan),
          defaultMilliseconds: Self.sum(least[0], problem, base.plan))
        return (problem.key, entry)
      })
  }

  /// Times of whole runs with the default kernels and with others.
  package func wholeNetwork(_ kernels: [String: Kernel]) async throws -> (before: Times, after: Times) {
    // Nothing has changed: the same code twice would differ by noise only.
    let variants = kernels.isEmpty ? [base] : [base, try await variant(kernels)]
    var times = variants.map { _ in Times() }
    try inTurns(variants, sittings: 7) { index, sitting in
      times[index].append(try variants[index].time(input), in: sitting)
    }
    return (times[0], times[times.count - 1])
  }

  /// Calls `body` with the number of each variant in turn, there and back, and with the number of the sitting; for each sitting all
  /// have new places in memory.
  private func inTurns(
    _ variants: [BenchVariant], sittings: Int, _ body: (_ variant: Int, _ sitting: Int) throws -> Void
  ) throws {
    let forwards = Array(variants.indices)
    for sitting in 0..<sittings {
      for variant in variants { try variant.settle(input) }
      let start = ContinuousClock.now
      var turns = 0
      // Least times need a moment in which nobody else wants the processors; large networks need not wait for one as often.
      while turns < 2 || turns < 40 && ContinuousClock.now - start < .milliseconds(300) {
        for index in forwards + forwards.reversed() { try body(index, sitting) }
        turns += 1
      }
    }
  }

  private static func sum(_ times: [Double], _ problem: TuningProblem, _ plan: Plan) -> Double {
    zip(plan.steps, times).reduce(0) { sum, step in
      guard let node = step.0.node, problem.nodes.contains(node) else { return sum }
      return sum + step.1
    }
  }
}
