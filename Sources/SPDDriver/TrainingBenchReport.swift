import Foundation
import SPD
import SPDCompiler

/// The speed of a network's training step, as values, JSON and text.
public struct TrainingBenchReport: Encodable, Sendable {
  public var model: String
  /// Height and width of the input in pixels.
  public var size: [Int]
  public var batch: Int, threads: Int, target: String, processor: String
  public var minMs: Double, medianMs: Double, runs: Int, imagesPerSecond: Double
  /// FLOPs of the forward pass, the input gradients and the weight gradients by their definitions, in billions.
  public var gflop: Double, gflops: Double
  public var arenaBytes: Int, stateBytes: Int
  /// Times of each parallel loop of a step.
  public var layers: [Benchmark.Step]?

  enum CodingKeys: String, CodingKey {
    case model, size, batch, threads, target, processor, runs, gflop, gflops, layers
    case minMs = "min_ms"
    case medianMs = "median_ms"
    case imagesPerSecond = "images_per_second"
    case arenaBytes = "arena_bytes"
    case stateBytes = "state_bytes"
  }

  /// The measurements on one line, with a table of the loops if they were timed.
  public var text: String {
    "\(model) \(size[0])×\(size[1]) batch \(batch), \(threads) threads: "
      + String(
        format: "%.1f ms per step (median %.1f, %d steps), %.1f images/s, %.0f GFLOP/s", minMs, medianMs, runs,
        imagesPerSecond, gflops)
      + ", arena \(megabytes(arenaBytes)), state \(megabytes(stateBytes))"
      + (layers.map { "\n" + Benchmark.table($0, peak: nil) } ?? "")
  }
}

extension TrainingBenchReport {
  /// Measures whole training steps on one synthetic batch.
  ///
  /// - Parameters:
  ///   - options: compile options. Weights are synthetic unless given.
  ///   - maxArena: maximum size of the arena in bytes, reached by recomputing activations; nil: no limit.
  ///   - updatesInBackward: updates each parameter in the backward pass.
  ///   - seconds: approximate duration of the measurement.
  ///   - timesLayers: times each parallel loop of a step, too.
  /// - Throws: `Failure` or an error that converts to one: `.different` where the loss is not finite, and nothing was measured.
  public static func measure(
    _ model: LoadedModel, options: CompileOptions = CompileOptions(), maxArena: Int? = nil,
    updatesInBackward: Bool = false, threads: Int, seconds: Double = 5, timesLayers: Bool = false
  ) async throws -> TrainingBenchReport {
    var compile = options
    compile.weights = options.weights ?? "synthetic"
    let weighted = try await compile.load(model)
    let builder = try Builder(target: compile.target)
    var pipeline = compile.pipeline(for: .training)
    pipeline.maxTargets = 16 * weighted.graph.input.shape.batch
    pipeline.updatesInBackward = updatesInBackward
    if let maxArena {
      pipeline = try builder.fitting(pipeline, weighted.graph, arena: maxArena, threads: threads)
    }
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
    var report = TrainingBenchReport(
      model: network.name, size: [input.height, input.width], batch: input.batch, threads: threads,
      target: builder.target.name, processor: Machine.processorName, minMs: samples.min, medianMs: samples.median,
      runs: times.count, imagesPerSecond: Double(input.batch) / samples.min * 1e3,
      gflop: Double(graph.cost.flops) / 1e9, gflops: Double(graph.cost.flops) / samples.min / 1e6,
      arenaBytes: compiled.plan.arenaBytes(threads: threads),
      stateBytes: (updatesInBackward ? 2 : 3) * 4 * network.stateCount)
    if timesLayers { report.layers = try step.times(compiled.plan) }
    return report
  }
}
