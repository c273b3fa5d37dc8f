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

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(
    help: ArgumentHelp(
      "Also measure the network compiled in another way.",
      discussion: "`sites` is unfused, and each space-to-depth with the layers around it by itself too.",
      valueName: "variant"))
  var compare: OtherVariant?
  @Flag(help: "Time each step.") var layers = false
  @Flag(help: "Training steps instead of inference.") var train = false
  @OptionGroup var arena: ArenaLimit
  @OptionGroup var update: UpdateInBackward
  @Option(help: "Measure for about this many seconds.") var seconds = 5.0
  @Flag(help: "Print the figures as JSON.") var json = false

  func validate() throws {
    if train, compare != nil || options.tune { throw ValidationError("--train has nothing to compare or tune.") }
    if arena.maxArena != nil, !train { throw ValidationError("--max-arena needs --train.") }
    if update.updateInBackward, !train { throw ValidationError("--update-in-backward needs --train.") }
    guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds must be above 0 and at most 3600.") }
  }

  func run() async throws {
    try await reporting {
      if train {
        return try await BenchTraining(
          options: options, arena: arena, updateInBackward: update.updateInBackward, threads: threads.threads,
          layers: layers, seconds: seconds, json: json
        ).run()
      }
      var options = options
      options.weights = options.weights ?? "synthetic"
      let weighted = try await options.load()
      let builder = try Builder(target: options.target)
      let parameters = try weighted.weights.file(for: weighted.graph)
      func variant(_ name: String, _ options: Pipeline.Options) async throws -> BenchVariant {
        let compiled = try builder.compile(weighted.graph, options: options)
        return try BenchVariant(
          name, compiled.plan, try await builder.load(compiled), parameters, threads: threads.threads)
      }
      let pipeline = try await options.tuned(weighted.graph, builder, threads: threads.threads)
      var variants = [try await variant(options.unfused ? "unfused" : "fused", pipeline)]
      if let compare {
        var other = options.pipeline
        compare.change(&other)
        // Each variant has its own problems; one that only leaves measured kernels out has none.
        let isOther = other != options.pipeline
        other = isOther ? try await options.tuned(weighted.graph, builder, threads: threads.threads, other) : pipeline
        compare.change(&other)
        guard other != pipeline else {
          throw Failure(.usage, "--compare \(compare.name) with the same option again is the same variant twice")
        }
        variants.append(try await variant(compare.name, other))
      }
      let input = syntheticInput(weighted.graph.input.shape)
      try check(variants, input)

      let limits = try await MachineLimits(builder)
      let before = limits.measure(threads: threads.threads)
      try measure(variants, input)
      let after = limits.measure(threads: threads.threads)
      let peak = max(before.gflops, after.gflops)
      let bandwidth = max(before.gigabytes, after.gigabytes)

      var report = Report(
        weighted.graph, variants, threads: threads.threads, target: builder.target.name, peak: peak,
        bandwidth: bandwidth)
      if layers { report.layers = try layerTimes(variants[0], input) }
      if compare?.bySite == true { report.sites = try siteTimes(variants, of: weighted.graph, input) }
      if json { return try Console.print(json: report) }
      report.print()
      if let steps = report.layers { Console.print("\n" + Self.table(steps, peak: peak)) }
      if let sites = report.sites { Console.print("\n" + SiteReport.table(sites)) }
    }
  }

  /// Nothing is timed before it is right: all variants must agree.
  private func check(_ variants: [BenchVariant], _ input: [Float]) throws {
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

  private func measure(_ variants: [BenchVariant], _ input: [Float]) throws {
    try inTurns("measuring", variants, input) { variants[$0].times.append(try variants[$0].time(input), in: $1) }
  }

  /// Calls `body` with the number of each variant in turn, for about as long as was asked for, and with the number of
  /// the sitting: in each one all variants have new places in memory.
  private func inTurns(
    _ title: String, _ variants: [BenchVariant], _ input: [Float],
    _ body: (_ variant: Int, _ sitting: Int) throws -> Void
  ) throws {
    let progress = Progress(title, total: 100)
    let forwards = Array(variants.indices)
    var elapsed: Double { (ContinuousClock.now - start).seconds }
    let start = ContinuousClock.now
    var sitting = 0
    // Six sittings are the fewest that an interval can be made of.
    while sitting < 6 || elapsed < seconds {
      for index in sitting % 2 == 0 ? forwards : forwards.reversed() { try variants[index].settle(input) }
      let end = elapsed + seconds / 12
      repeat {
        // There and back, so that none always runs behind the same other.
        for index in forwards + forwards.reversed() { try body(index, sitting) }
        progress.update(min(100, Int(100 * elapsed / seconds)))
      } while elapsed < end
      sitting += 1
    }
    progress.finish()
  }

  // MARK: - sites

  private func siteTimes(_ variants: [BenchVariant], of graph: Graph, _ input: [Float]) throws -> [SiteReport] {
    let sites = graph.spaceToDepthSites
    guard !sites.isEmpty else { return [] }
    var times = variants.map { SiteTimes(sites, of: graph, in: $0.plan) }
    try inTurns("measuring sites", variants, input) { index, sitting in
      try times[index].measure(in: sitting) { try variants[index].time(input, steps: $0) }
    }
    return sites.enumerated().map { index, site in
      let node = graph[site.id]
      let both = times.map { $0.times[index] }
      return SiteReport(
        layer: node.layer, input: graph.shape(of: node.inputs[0]).description, output: node.shape.description,
        variants: zip(variants, both.map(\.samples)).map {
          SiteReport.Variant(name: $0.name, minMs: $1.min, medianMs: $1.median)
        },
        ratio: Ratio(both[1], of: variants[1].name, over: both[0]))
    }
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

  private func layerTimes(_ variant: BenchVariant, _ input: [Float]) throws -> [Step] {
    var times = Array(repeating: [Double](), count: variant.plan.steps.count)
    try inTurns("measuring layers", [variant], input) { _, _ in
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

  /// An expression that reads many views would make every row as long as itself; `--json` has it whole.
  private static let longestText = 80

  /// - Parameter peak: GFLOP/s of this machine, if they were measured.
  static func table(_ steps: [Step], peak: Double?) -> String {
    let header =
      ["step", "min ms", "median", "GFLOP/s"] + (peak == nil ? [] : ["% peak"]) + ["kernel", "node", "layer"]
    let rows = steps.map { step in
      let share = peak.map { [String(format: "%.0f", 100 * step.gflops / $0)] } ?? []
      let text = step.text.count > longestText ? "\(step.text.prefix(longestText - 1))…" : step.text
      return ["\(step.step)"] + [String(format: "%.3f", step.minMs), String(format: "%.3f", step.medianMs)]
        + [String(format: "%.0f", step.gflops)] + share + [step.kernel, text, step.layer]
    }
    return columns([header] + rows, right: Set(0..<header.count - 3))
  }
}
