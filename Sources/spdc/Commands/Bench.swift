import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDRuntime

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a network's speed.",
    discussion: """
      Variants run in turns, so that a busy machine hurts them alike. Shares are of what this machine's multiply-adds and \
      memory reach in the same run. Weights and input are synthetic unless given.
      """)

  enum Comparison: String, ExpressibleByArgument, CaseIterable { case unfused }

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Also measure this variant: unfused.") var compare: Comparison?
  @Flag(help: "Time each step.") var layers = false
  @Option(help: "Measure for about this many seconds.") var seconds = 5.0
  @Flag(help: "Print the figures as JSON.") var json = false

  func validate() throws {
    guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds must be above 0 and at most 3600.") }
  }

  func run() async throws {
    try await reporting {
      var options = options
      options.weights = options.weights ?? "synthetic"
      let weighted = try await options.load()
      let builder = try Builder(target: options.target)
      var variants = [try await variant("fused", options.pipeline, weighted, builder)]
      if options.unfused { variants[0].name = "unfused" }
      if compare != nil {
        guard !options.unfused else {
          throw Failure(.usage, "--unfused and --compare unfused are the same variant twice")
        }
        var unfused = options.pipeline
        unfused.unfused = true
        variants.append(try await variant("unfused", unfused, weighted, builder))
      }
      let input = syntheticInput(weighted.graph.input.shape)
      try check(variants, input)

      let limits = try await MachineLimits(builder)
      let before = limits.measure(threads: threads.threads)
      try measure(&variants, input)
      let after = limits.measure(threads: threads.threads)
      let peak = max(before.gflops, after.gflops)
      let bandwidth = max(before.gigabytes, after.gigabytes)

      let report = Report(
        weighted.graph, variants, threads: threads.threads, target: builder.target.name, peak: peak,
        bandwidth: bandwidth)
      let steps = layers ? try layerTimes(variants[0], input) : nil
      if json {
        var full = report
        full.layers = steps
        try Console.print(json: full)
      } else {
        report.print()
        if let steps { Console.print("\n" + Self.table(steps, peak: peak)) }
      }
    }
  }

  struct Variant {
    var name: String
    var session: Session
    var plan: Plan
    var milliseconds: [Double] = []
    var samples: Samples { Samples(milliseconds) }
  }

  private func variant(
    _ name: String, _ pipeline: Pipeline.Options, _ weighted: Weighted, _ builder: Builder
  ) async throws -> Variant {
    let ready = try await builder.ready(weighted, options: pipeline)
    let session = try ready.network.session(ready.packed, threads: threads.threads)
    return Variant(name: name, session: session, plan: ready.compiled.plan)
  }

  /// Nothing is timed before it is right: all variants must agree.
  private func check(_ variants: [Variant], _ input: [Float]) throws {
    let first = try variants[0].session.infer(input)
    guard first.allSatisfy(\.isFinite) else {
      throw Failure(.different, "the output is not finite; nothing was measured")
    }
    for other in variants.dropFirst() {
      for (a, b) in zip(try other.session.infer(input), first)
      where !(abs(a - b) <= 5e-4 + 1e-4 * abs(b)) {
        throw Failure(.different, "\(other.name) gives \(a) where \(variants[0].name) gives \(b); nothing was measured")
      }
    }
  }

  private func measure(_ variants: inout [Variant], _ input: [Float]) throws {
    let clock = ContinuousClock()
    let progress = Progress("measuring", total: 100)
    var output = [Float](repeating: 0, count: variants[0].session.network.outputCount)
    func once(_ session: Session) throws -> Double {
      try input.withUnsafeBufferPointer { input in
        try output.withUnsafeMutableBufferPointer { output in
          let start = clock.now
          try session.infer(input, into: output)
          return (clock.now - start).milliseconds
        }
      }
    }
    for _ in 0..<3 { for variant in variants { _ = try once(variant.session) } }
    let start = clock.now
    var rounds = 0
    while rounds < 10 || ((clock.now - start).seconds < seconds && rounds < 100_000) {
      // The order alternates, so that none always runs behind the same other.
      let order = rounds % 2 == 0 ? Array(variants.indices) : variants.indices.reversed()
      for index in order { variants[index].milliseconds.append(try once(variants[index].session)) }
      rounds += 1
      progress.update(min(100, Int(100 * (clock.now - start).seconds / seconds)))
    }
    progress.finish()
  }

  // MARK: - layers

  struct Step: Encodable {
    var step: Int
    var layer: String
    var kernel: String
    var text: String
    var minMs: Double
    var medianMs: Double
    var gflops: Double

    enum CodingKeys: String, CodingKey {
      case step, layer, kernel, text, gflops
      case minMs = "min_ms"
      case medianMs = "median_ms"
    }
  }

  private func layerTimes(_ variant: Variant, _ input: [Float]) throws -> [Step] {
    let clock = ContinuousClock()
    var output = [Float](repeating: 0, count: variant.session.network.outputCount)
    var times = Array(repeating: [Double](), count: variant.plan.steps.count)
    let start = clock.now
    let progress = Progress("measuring layers", total: 100)
    while times[0].count < 5 || (clock.now - start).seconds < seconds {
      for step in times.indices {
        try input.withUnsafeBufferPointer { input in
          try output.withUnsafeMutableBufferPointer { output in
            let start = clock.now
            try variant.session.infer(input, into: output, steps: step..<step + 1)
            times[step].append((clock.now - start).milliseconds)
          }
        }
      }
      progress.update(min(100, Int(100 * (clock.now - start).seconds / seconds)))
    }
    progress.finish()
    return variant.plan.steps.enumerated().map { index, step in
      let samples = Samples(times[index])
      let graph = variant.plan.graph
      let node = step.node.map { graph[$0] }
      return Step(
        step: index, layer: node?.layer ?? "output", kernel: step.kernel.template,
        text: node.map { graph.expression(of: $0) } ?? "store", minMs: samples.min, medianMs: samples.median,
        gflops: node.map { Double(graph.cost(of: $0).flops) / samples.min / 1e6 } ?? 0)
    }
  }

  private static func table(_ steps: [Step], peak: Double) -> String {
    columns(
      [["step", "min ms", "median", "GFLOP/s", "% peak", "kernel", "node", "layer"]]
        + steps.map {
          [
            "\($0.step)", String(format: "%.3f", $0.minMs), String(format: "%.3f", $0.medianMs),
            String(format: "%.0f", $0.gflops), String(format: "%.0f", 100 * $0.gflops / peak), $0.kernel, $0.text,
            $0.layer,
          ]
        }, right: [0, 1, 2, 3, 4])
  }
}

/// What repeated measurements say.
struct Samples {
  let sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  var min: Double { sorted.first ?? 0 }
  var median: Double { quantile(0.5) }

  func quantile(_ q: Double) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let position = q * Double(sorted.count - 1)
    let low = Int(position)
    let high = Swift.min(low + 1, sorted.count - 1)
    return sorted[low] + (sorted[high] - sorted[low]) * (position - Double(low))
  }
}
