import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a network's speed.",
    discussion: """
      Variants run interleaved, so that load on the machine affects them equally. Shares are relative to the FMA peak and \
      memory bandwidth measured in the same run. Weights and input are synthetic unless given.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(
    help: ArgumentHelp(
      "Also measure a second variant of the network.",
      discussion: "`sites` compares with `unfused`, and also times each space-to-depth with the layers around it.",
      valueName: "variant"))
  var compare: OtherVariant?
  @Flag(help: "Time each step.") var layers = false
  @Flag(help: "Measure training steps instead of inference.") var train = false
  @OptionGroup var arena: ArenaLimit
  @OptionGroup var update: UpdateInBackward
  @Option(help: "Approximate duration of the measurement in seconds.") var seconds = 5.0
  @Flag(help: "Print the measurements as JSON.") var json = false

  func validate() throws {
    if train, compare != nil || options.tune {
      throw ValidationError("--train cannot be combined with --compare or --tune.")
    }
    if arena.maxArena != nil, !train { throw ValidationError("--max-arena needs --train.") }
    if update.updateInBackward, !train { throw ValidationError("--update-in-backward needs --train.") }
    guard seconds > 0, seconds <= 3600 else {
      throw ValidationError("--seconds must be above 0 and no more than 3600.")
    }
  }

  func run() async throws {
    try await reporting {
      let threads = try self.threads.threads
      if train {
        return try await BenchTraining(
          options: options, arena: arena, updateInBackward: update.updateInBackward, threads: threads,
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
          name, compiled.plan, try await builder.load(compiled), parameters, threads: threads)
      }
      let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: threads)
      var variants = [try await variant(options.unfused ? "unfused" : "fused", pipeline)]
      if let compare {
        var other = options.pipeline()
        compare.change(&other)
        // A variant with other options has its own tuning problems. `untuned` only drops the measured kernels.
        let isOther = other != options.pipeline()
        other =
          isOther ? try await options.compile.tuned(weighted.graph, builder, threads: threads, other) : pipeline
        compare.change(&other)
        guard other != pipeline else {
          throw Failure(
            .usage, "--compare \(compare.name) together with the same option compares a variant with itself")
        }
        variants.append(try await variant(compare.name, other))
      }
      let input = syntheticInput(weighted.graph.input.shape)
      let benchmark = Benchmark(variants, input: input, seconds: seconds)
      try benchmark.check()

      let limits = try await MachineLimits(builder)
      let before = limits.measure(threads: threads)
      try benchmark.measure()
      let after = limits.measure(threads: threads)
      let peak = max(before.gflops, after.gflops)
      let bandwidth = max(before.gigabytes, after.gigabytes)

      var report = Report(
        weighted.graph, variants, threads: threads, target: builder.target.name, peak: peak,
        bandwidth: bandwidth)
      if layers { report.layers = try benchmark.layerTimes() }
      if compare?.bySite == true { report.sites = try benchmark.siteTimes(of: weighted.graph) }
      if json { return try Console.print(json: report) }
      report.print()
      if let steps = report.layers { Console.print("\n" + Self.table(steps, peak: peak)) }
      if let sites = report.sites { Console.print("\n" + SiteReport.table(sites)) }
    }
  }

  /// Maximum length of an expression in the table. `--json` prints expressions in full.
  private static let longestText = 80

  /// Formats step times as a table.
  ///
  /// - Parameter peak: FMA peak of this machine in GFLOP/s; nil if it was not measured.
  static func table(_ steps: [Benchmark.Step], peak: Double?) -> String {
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
