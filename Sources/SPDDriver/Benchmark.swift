import SPD
import SPDCompiler
import SPDRuntime

/// Times variants of one network in interleaved rounds, after checking that their outputs agree.
public struct Benchmark {
  private let variants: [BenchVariant]
  private let input: [Float]
  /// Approximate duration of a measurement.
  private let seconds: Double

  package init(_ variants: [BenchVariant], input: [Float], seconds: Double) {
    (self.variants, self.input, self.seconds) = (variants, input, seconds)
  }

  /// Checks that the outputs of all variants agree.
  package func check() throws {
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

  package func measure() throws {
    try interleaved("measuring", variants) { variants[$0].times.append(try variants[$0].time(input), in: $1) }
  }

  /// Measures the first variant alone and beside a neighbour, in turns; both in each round, at the same addresses.
  ///
  /// - Returns: the times beside it.
  package func measure(beside neighbour: MemoryNeighbour) throws -> Times {
    let variant = variants[0]
    var beside = Times()
    let progress = Progress("measuring", total: 100)
    let start = ContinuousClock.now
    var elapsed: Double { (ContinuousClock.now - start).seconds }
    var round = 0
    // A 95 % interval of the median needs six observations.
    while round < 6 || elapsed < 2 * seconds {
      try variant.reallocate(input)
      for isBeside in round % 2 == 0 ? [false, true] : [true, false] {
        if isBeside { neighbour.start() }
        defer { if isBeside { neighbour.stop() } }
        _ = try variant.time(input)  // with the caches as the neighbour leaves them
        let end = elapsed + seconds / 12
        repeat {
          for _ in 0..<2 {
            let time = try variant.time(input)
            if isBeside { beside.append(time, in: round) } else { variant.times.append(time, in: round) }
          }
          progress.update(min(100, Int(50 * elapsed / seconds)))
        } while elapsed < end
      }
      round += 1
    }
    progress.finish()
    return beside
  }

  /// Calls `body` with the index of each variant and of the round, interleaved (ABBA), for about `seconds`.
  ///
  /// Every round starts by reallocating all variants.
  private func interleaved(
    _ title: String, _ variants: [BenchVariant],
    _ body: (_ variant: Int, _ round: Int) throws -> Void
  ) throws {
    let progress = Progress(title, total: 100)
    let forwards = Array(variants.indices)
    var elapsed: Double { (ContinuousClock.now - start).seconds }
    let start = ContinuousClock.now
    var round = 0
    // A 95 % interval of the median needs six observations.
    while round < 6 || elapsed < seconds {
      for index in round % 2 == 0 ? forwards : forwards.reversed() { try variants[index].reallocate(input) }
      let end = elapsed + seconds / 12
      repeat {
        // ABBA order, so that no variant always follows the same other one.
        for index in forwards + forwards.reversed() { try body(index, round) }
        progress.update(min(100, Int(100 * elapsed / seconds)))
      } while elapsed < end
      round += 1
    }
    progress.finish()
  }

  // MARK: - sites

  package func siteTimes(of graph: Graph) throws -> [SiteReport] {
    let sites = graph.spaceToDepthSites
    guard !sites.isEmpty else { return [] }
    var times = variants.map { SiteTimes(sites, of: graph, in: $0.plan) }
    try interleaved("measuring sites", variants) { index, round in
      try times[index].measure(in: round) { try variants[index].time(input, steps: $0) }
    }
    return sites.enumerated().map { index, site in
      let node = graph[site.id]
      let both = times.map { $0.times[index] }
      return SiteReport(
        layer: node.layer, input: graph.shape(of: node[.input]).description, output: node.shape.description,
        variants: zip(variants, both.map(\.samples)).map {
          SiteReport.Variant(name: $0.name, minMs: $1.min, medianMs: $1.median)
        },
        ratio: Ratio(both[1], of: variants[1].name, over: both[0]))
    }
  }

  // MARK: - layers

  /// The time of one step of a plan.
  public struct Step: Encodable, Sendable {
    public var step: Int
    public var layer: String
    public var kernel: String
    /// The expression that it computes.
    public var text: String
    public var minMs: Double
    public var medianMs: Double
    public var gflops: Double

    private enum CodingKeys: String, CodingKey {
      case step, layer, kernel, text, gflops
      case minMs = "min_ms"
      case medianMs = "median_ms"
    }
  }

  /// Times each step of the first variant.
  package func layerTimes() throws -> [Step] {
    let variant = variants[0]
    var times = Array(repeating: [Double](), count: variant.plan.steps.count)
    try interleaved("measuring layers", [variant]) { _, _ in
      for step in times.indices { times[step].append(try variant.time(input, steps: step..<step + 1)) }
    }
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

}
