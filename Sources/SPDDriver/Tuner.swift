import Foundation
import SPD
import SPDCompiler
import SPDReference
import SPDRuntime

/// The result of `--tune`.
package struct Tuning: Encodable {
  package var threads: Int
  /// Number of distinct convolutions with several candidate kernels.
  package var problems: Int
  /// Number of problems measured in this run; the others were cached.
  package var measured = 0
  /// Number of problems that use another kernel than without `--tune`.
  package var changed = 0
  /// Minimum time of the whole network with the default kernels.
  package var beforeMs: Double?
  /// Minimum time of the whole network with the kernels chosen in this run.
  package var afterMs: Double?

  private enum CodingKeys: String, CodingKey {
    case threads, problems, measured, changed
    case beforeMs = "before_ms"
    case afterMs = "after_ms"
  }

  /// The result as text.
  package var summary: String {
    let many = "\(problems) problem\(problems == 1 ? "" : "s")"
    let earlier = measured == 0 ? "tuned earlier: \(many)" : "\(many), \(measured) measured"
    guard let beforeMs, let afterMs else { return "\(earlier), \(changed) with another kernel" }
    let times = String(format: "%.3f → %.3f ms", beforeMs, afterMs)
    return "\(earlier), \(changed) with another kernel: \(times) on \(threads) thread\(threads == 1 ? "" : "s")"
  }
}

/// Measures which kernel is fastest for each convolution of a network on this machine.
///
/// Candidate k of every problem is measured in one network, so that cache contents are realistic. Runs are interleaved with
/// the network of default kernels, so that load on the machine affects both. The winners are measured again together,
/// because the minimum of many measurements is biased.
package struct Tuner {
  private let builder: Builder
  private let threads: Int

  package init(builder: Builder, threads: Int) { (self.builder, self.threads) = (builder, threads) }

  /// Maximum ratio to the default kernel's time; smaller gains are noise.
  private static let threshold = 0.98

  /// Tunes a network.
  ///
  /// - Returns: the options with the measured kernels of the network's problems, cached ones included.
  package func tune(_ graph: Graph, _ options: Pipeline.Options) async throws -> (Pipeline.Options, Tuning) {
    guard Machine.runs(builder.target) else {
      throw Failure(
        .usage,
        "--tune runs the network, but this machine cannot run code for \(builder.target.name); tune on a machine that can"
      )
    }
    var options = options
    let lowered = try Pipeline.run(graph, options: options).graph
    let problems = TuningProblem.all(in: lowered, target: builder.target, kernels: options.kernels)
    let store = try TuningStore.load(target: builder.target.name, threads: threads)
    for problem in problems {
      if let known = store.problems[problem.key]?.kernel, problem.candidates.contains(known) {
        options.kernels.learned[problem.key] = known
      }
    }
    let unknown = problems.filter { options.kernels.learned[$0.key] == nil }
    var tuning = Tuning(threads: threads, problems: problems.count, measured: unknown.count)
    if !unknown.isEmpty {
      let session = try await TuningSession(builder, graph, options, threads: threads)
      let measured = try await measure(unknown, session, &tuning)
      try store.add(measured)
      options.kernels.learned.merge(measured.mapValues(\.kernel)) { $1 }
    }
    tuning.changed = problems.count { options.kernels.learned[$0.key] != $0.candidates[0] }
    return (options, tuning)
  }

  private func measure(
    _ problems: [TuningProblem], _ session: TuningSession, _ tuning: inout Tuning
  ) async throws -> [String: TuningStore.Entry] {
    let rounds = problems.map(\.candidates.count).max() ?? 0
    let progress = Progress("tuning \(problems.count) problems", total: rounds)
    defer { progress.finish() }
    var best: [String: TuningStore.Entry] = [:]
    for round in 1..<rounds {
      progress.update(round)
      let inPlay = problems.filter { round < $0.candidates.count }
      let kernels = Dictionary(uniqueKeysWithValues: inPlay.map { ($0.key, $0.candidates[round]) })
      for (key, entry) in try await session.times(of: inPlay, kernels) {
        if entry.ratio < best[key]?.ratio ?? Self.threshold { best[key] = entry }
      }
    }
    if !best.isEmpty {
      let again = try await session.times(of: problems.filter { best[$0.key] != nil }, best.mapValues(\.kernel))
      best = again.filter { $0.value.ratio < Self.threshold }
    }
    progress.update(rounds)
    let (before, after) = try await session.wholeNetwork(best.mapValues(\.kernel))
    // Neither the interleaved ratio nor the minimum may be worse.
    let isWorth =
      Ratio(before, of: "default", over: after).median >= 1 && after.samples.min <= before.samples.min
    tuning.beforeMs = before.samples.min
    tuning.afterMs = isWorth ? after.samples.min : before.samples.min
    return Dictionary(
      uniqueKeysWithValues: problems.map { problem in
        let ownTime = session.defaultTime(of: problem)
        let own = TuningStore.Entry(kernel: problem.candidates[0], milliseconds: ownTime, defaultMilliseconds: ownTime)
        return (problem.key, isWorth ? best[problem.key] ?? own : own)
      })
  }
}

extension TuningStore.Entry {
  /// Time of this kernel divided by the default kernel's time.
  fileprivate var ratio: Double { milliseconds / defaultMilliseconds }
}
