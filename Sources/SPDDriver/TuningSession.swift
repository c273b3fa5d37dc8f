import Foundation
import SPD
import SPDCompiler
import SPDRuntime

/// Measures variants of a network against the network with default kernels.
package final class TuningSession {
  private let builder: Builder
  private let graph: Graph
  private let options: Pipeline.Options
  private let threads: Int
  private let parameters: ParameterFile
  private let input: [Float]
  private let expected: [Float]
  private let base: BenchVariant
  /// Minimum time of each step of `base` so far.
  private var baseTimes: [Double]

  /// - Parameter options: options with the cached kernels, which are kept.
  package init(_ builder: Builder, _ graph: Graph, _ options: Pipeline.Options, threads: Int) async throws {
    (self.builder, self.graph, self.options, self.threads) = (builder, graph, options, threads)
    // Run times do not depend on the values.
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

  /// Returns the time of a problem with its default kernel in milliseconds.
  package func defaultTime(of problem: TuningProblem) -> Double { Self.sum(baseTimes, problem, base.plan) }

  /// Builds the network with other kernels and checks its output.
  private func variant(_ kernels: [String: Kernel]) async throws -> BenchVariant {
    var options = options
    options.kernels.learned.merge(kernels) { $1 }
    let compiled = try builder.compile(graph, options: options)
    let variant = try BenchVariant(
      "tuned", compiled.plan, try await builder.load(compiled), parameters, threads: threads)
    for (a, b) in zip(try variant.session.infer(input), expected) where !(abs(a - b) <= 2e-3 + 1e-4 * abs(b)) {
      let used = Set(compiled.plan.steps.map(\.kernel.template)).sorted().joined(separator: ", ")
      throw Failure(
        .software,
        "internal error: a candidate of --tune gives \(a) instead of \(b) in a network of \(used); nothing was stored")
    }
    return variant
  }

  /// Measures each problem with a given kernel, step by step within the network, interleaved with the default kernels.
  package func times(of problems: [TuningProblem], _ kernels: [String: Kernel]) async throws -> [String: TuningStore
    .Entry]
  {
    let other = try await variant(kernels)
    let variants = [base, other]
    var minimum = variants.map { Array(repeating: Double.infinity, count: $0.plan.steps.count) }
    try interleaved(variants, rounds: 3) { index, _ in
      for step in minimum[index].indices {
        minimum[index][step] = min(minimum[index][step], try variants[index].time(input, steps: step..<step + 1))
      }
    }
    for step in baseTimes.indices { baseTimes[step] = min(baseTimes[step], minimum[0][step]) }
    return Dictionary(
      uniqueKeysWithValues: problems.map { problem in
        let entry = TuningStore.Entry(
          kernel: kernels[problem.key] ?? problem.candidates[0],
          milliseconds: Self.sum(minimum[1], problem, other.plan),
          defaultMilliseconds: Self.sum(minimum[0], problem, base.plan))
        return (problem.key, entry)
      })
  }

  /// Measures whole runs with the default kernels and with others.
  package func wholeNetwork(_ kernels: [String: Kernel]) async throws -> (before: Times, after: Times) {
    // Identical code would differ by noise only.
    let variants = kernels.isEmpty ? [base] : [base, try await variant(kernels)]
    var times = variants.map { _ in Times() }
    try interleaved(variants, rounds: 7) { index, round in
      times[index].append(try variants[index].time(input), in: round)
    }
    return (times[0], times[times.count - 1])
  }

  /// Calls `body` with the index of each variant and of the round, interleaved (ABBA). Every round starts by reallocating all
  /// variants.
  private func interleaved(
    _ variants: [BenchVariant], rounds: Int, _ body: (_ variant: Int, _ round: Int) throws -> Void
  ) throws {
    let forwards = Array(variants.indices)
    for round in 0..<rounds {
      for variant in variants { try variant.reallocate(input) }
      let start = ContinuousClock.now
      var turns = 0
      // A minimum needs one run without interference; long runs of large networks need fewer repetitions.
      while turns < 2 || turns < 40 && ContinuousClock.now - start < .milliseconds(300) {
        for index in forwards + forwards.reversed() { try body(index, round) }
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
