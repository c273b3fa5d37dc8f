import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

/// Implements `spdc bench MODEL --train`: times whole training steps, and each parallel loop of a step.
struct BenchTraining {
  var options: ModelOptions
  var arena: ArenaLimit
  var updateInBackward: Bool
  var threads: Int
  var layers: Bool
  var seconds: Double
  var json: Bool

  struct Report: Encodable {
    var model: String, size: [Int], batch: Int, threads: Int, target: String, processor: String
    var minMs: Double, medianMs: Double, runs: Int, imagesPerSecond: Double
    /// FLOPs of the forward pass, the input gradients and the weight gradients by their definitions, in billions.
    var gflop: Double, gflops: Double
    var arenaBytes: Int, stateBytes: Int
    var layers: [Benchmark.Step]?

    enum CodingKeys: String, CodingKey {
      case model, size, batch, threads, target, processor, runs, gflop, gflops, layers
      case minMs = "min_ms"
      case medianMs = "median_ms"
      case imagesPerSecond = "images_per_second"
      case arenaBytes = "arena_bytes"
      case stateBytes = "state_bytes"
    }
  }

  func run() async throws {
    var options = options
    options.weights = options.weights ?? "synthetic"
    let weighted = try await options.load()
    let builder = try Builder(target: options.target)
    var pipeline = options.pipeline(for: .training)
    pipeline.maxTargets = 16 * weighted.graph.input.shape.batch
    pipeline.updatesInBackward = updateInBackward
    pipeline = try arena.apply(to: pipeline, weighted.graph, builder, threads: threads)
    let compiled = try builder.compile(weighted.graph, options: pipeline)
    let network = try await builder.loadTrainable(compiled)
    let trainer = try network.trainer(threads: threads)
    let values = weighted.weights.values(of: weighted.graph)
    try trainer.load { try values($0.name) }
    let step = TrainingStep(
      trainer, input: syntheticInput(weighted.graph.input.shape), supervision: compiled.plan.supervision)

    let losses = try step.run()
    guard losses.allSatisfy(\.isFinite) else {
      throw Failure(.different, "the loss is not finite; nothing was measured")
    }
    var times: [Double] = []
    let progress = Progress("measuring", total: 100)
    let start = ContinuousClock.now
    var elapsed: Double { (ContinuousClock.now - start).seconds }
    while times.count < 3 || elapsed < seconds {
      let begin = ContinuousClock.now
      _ = try step.run()
      times.append((ContinuousClock.now - begin).seconds * 1e3)
      progress.update(min(100, Int(100 * elapsed / seconds)))
    }
    progress.finish()
    let samples = Samples(times)
    // Recomputed convolutions do not count as useful work.
    var formulas = pipeline
    formulas.recomputedConvolutions = 0
    let graph = try builder.plan(weighted.graph, options: formulas).lowered
    let input = weighted.graph.input.shape
    var report = Report(
      model: network.name, size: [input.height, input.width], batch: input.batch, threads: threads,
      target: builder.target.name, processor: Machine.processorName, minMs: samples.min, medianMs: samples.median,
      runs: times.count, imagesPerSecond: Double(input.batch) / samples.min * 1e3,
      gflop: Double(graph.cost.flops) / 1e9, gflops: Double(graph.cost.flops) / samples.min / 1e6,
      arenaBytes: compiled.plan.arenaBytes(threads: threads),
      stateBytes: (updateInBackward ? 2 : 3) * 4 * network.stateCount)
    if layers { report.layers = try step.times(compiled.plan) }
    if json { return try Console.print(json: report) }
    Console.print(
      "\(network.name) \(input.height)×\(input.width) batch \(input.batch), \(threads) threads: "
        + String(
          format: "%.1f ms per step (median %.1f, %d steps), %.1f images/s, %.0f GFLOP/s", samples.min, samples.median,
          times.count, report.imagesPerSecond, report.gflops)
        + ", arena \(megabytes(report.arenaBytes)), state \(megabytes(report.stateBytes))")
    if let steps = report.layers { Console.print(Bench.table(steps, peak: nil)) }
  }
}
