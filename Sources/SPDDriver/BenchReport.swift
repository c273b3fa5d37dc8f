import Foundation
import SPD
import SPDCompiler

/// The speed of a network, as values, JSON and text.
public struct BenchReport: Encodable, Sendable {
  public struct Variant: Encodable, Sendable {
    public var name: String, minMs: Double, medianMs: Double, p10Ms: Double, p90Ms: Double, runs: Int
    public var gflops: Double, peakShare: Double, arenaBytes: Int

    enum CodingKeys: String, CodingKey {
      case name, runs, gflops
      case minMs = "min_ms"
      case medianMs = "median_ms"
      case p10Ms = "p10_ms"
      case p90Ms = "p90_ms"
      case peakShare = "peak_share"
      case arenaBytes = "arena_bytes"
    }
  }

  /// The first variant beside threads that copy memory.
  public struct Beside: Encodable, Sendable {
    public var threads: Int
    /// What they read and wrote in the meantime, in GB/s.
    public var gigabytesPerSecond: Double
    public var minMs: Double, medianMs: Double, runs: Int
    /// Its time over that without them.
    public var ratio: Ratio

    enum CodingKeys: String, CodingKey {
      case threads, runs, ratio
      case gigabytesPerSecond = "gbs"
      case minMs = "min_ms"
      case medianMs = "median_ms"
    }

    init(_ neighbour: MemoryNeighbour, _ times: Times, over quiet: Times) {
      threads = neighbour.count
      gigabytesPerSecond = neighbour.gigabytes
      (minMs, medianMs, runs) = (times.samples.min, times.samples.median, times.samples.sorted.count)
      ratio = Ratio(times, of: "quiet", over: quiet)
    }

    var text: String {
      String(
        format: "  beside %d thread%@ copying memory at %.1f GB/s: %.2f ms min, %.2f median, %.2f× the quiet time "
          + "(%.3f … %.3f, 95 %% interval)", threads, threads == 1 ? "" : "s", gigabytesPerSecond, minMs, medianMs,
        ratio.median, ratio.low, ratio.high)
    }
  }

  public var model: String
  /// Height and width of the input in pixels.
  public var size: [Int]
  public var batch: Int
  public var threads: Int
  public var target: String
  public var processor: String
  /// Of the first variant.
  public var minMs: Double
  public var medianMs: Double
  public var p10Ms: Double
  public var p90Ms: Double
  public var runs: Int
  /// FLOPs of the network as declared, in billions.
  public var gflop: Double
  public var gflops: Double
  /// The FMA peak of this machine in the same run.
  public var peakGflops: Double
  public var peakShare: Double
  /// The memory bandwidth of this machine in the same run, in GB/s.
  public var bandwidthGbs: Double
  /// Minimum memory traffic (weights and activations once each) as a fraction of the measured bandwidth.
  public var bandwidthShare: Double
  public var variants: [Variant]
  /// The second variant's time over the first's.
  public var ratio: Ratio?
  public var beside: Beside?
  public var layers: [Benchmark.Step]?
  public var sites: [SiteReport]?

  enum CodingKeys: String, CodingKey {
    case model, size, batch, threads, target, processor, runs, gflop, gflops, variants, ratio, beside, layers, sites
    case minMs = "min_ms"
    case medianMs = "median_ms"
    case p10Ms = "p10_ms"
    case p90Ms = "p90_ms"
    case peakGflops = "peak_gflops"
    case peakShare = "peak_share"
    case bandwidthGbs = "bandwidth_gbs"
    case bandwidthShare = "bandwidth_share"
  }

  init(_ graph: Graph, _ measured: [BenchVariant], threads: Int, target: String, peak: Double, bandwidth: Double) {
    variants = measured.map { variant in
      let samples = variant.times.samples
      // FLOPs after the passes, which may have removed some of the declared ones.
      let gflops = Double(variant.plan.graph.cost.flops) / samples.min / 1e6
      return Variant(
        name: variant.name, minMs: samples.min, medianMs: samples.median, p10Ms: samples.quantile(0.1),
        p90Ms: samples.quantile(0.9), runs: samples.sorted.count, gflops: gflops, peakShare: gflops / peak,
        arenaBytes: variant.plan.arenaBytes(threads: threads))
    }
    let first = variants[0]
    model = graph.name
    size = [graph.input.shape.height, graph.input.shape.width]
    batch = graph.input.shape.batch
    self.threads = threads
    self.target = target
    processor = Machine.processorName
    minMs = first.minMs
    medianMs = first.medianMs
    p10Ms = first.p10Ms
    p90Ms = first.p90Ms
    runs = first.runs
    gflop = Double(graph.cost.flops) / 1e9
    gflops = first.gflops
    peakGflops = peak
    peakShare = first.peakShare
    bandwidthGbs = bandwidth
    let bytes = Double(measured[0].plan.graph.cost.activationBytes + measured[0].plan.packedCount * 4)
    bandwidthShare = bytes / (first.minMs * 1e6) / bandwidth
    if measured.count == 2 {
      ratio = Ratio(measured[1].times, of: measured[1].name, over: measured[0].times)
    }
  }

  /// The measurements on a few lines, with tables of the steps and the sites if they were timed.
  public var text: String {
    var lines = [
      "\(model)  \(size[0])×\(size[1]), batch \(batch), \(threads) thread\(threads == 1 ? "" : "s"), \(target) "
        + "(\(processor))"
    ]
    let width = variants.map(\.name.count).max() ?? 0
    lines += variants.map { variant in
      let name = variant.name + String(repeating: " ", count: width - variant.name.count)
      return String(
        format:
          "  %@ %8.2f ms min, %8.2f median  (%.2f … %.2f, %d runs)  %.0f GFLOP/s = %.0f %% of the FMA peak, arena %@",
        name, variant.minMs, variant.medianMs, variant.p10Ms, variant.p90Ms, variant.runs, variant.gflops,
        100 * variant.peakShare, megabytes(variant.arenaBytes))
    }
    lines.append(
      String(
        format: "  this machine, same run: FMA peak %.0f GFLOP/s, memory %.1f GB/s (%.0f %% used)", peakGflops,
        bandwidthGbs, 100 * bandwidthShare))
    if variants.contains(where: { $0.peakShare > 1 }) {
      lines.append("  GFLOP/s count direct convolution; Winograd multiplies less, so a share may exceed 100 %")
    }
    if let ratio {
      let pair = "\(variants[0].name) against \(ratio.against)"
      lines.append("  \(pair): " + (ratio.conclusive ? "faster by \(ratio.text)" : ratio.text) + ", 95 % interval")
    }
    if let beside { lines.append(beside.text) }
    if let layers { lines.append("\n" + Benchmark.table(layers, peak: peakGflops)) }
    if let sites { lines.append("\n" + SiteReport.table(sites)) }
    return lines.joined(separator: "\n")
  }
}

extension BenchReport {
  /// Measures a network, and a second variant interleaved with it, so that load on the machine affects both equally.
  ///
  /// - Parameters:
  ///   - options: compile options. Weights are synthetic unless given.
  ///   - other: the second variant.
  ///   - besideMemory: measures the first variant also beside threads that copy memory on the processors that it leaves free.
  ///   - seconds: approximate duration of the measurement, and as much again beside such threads.
  ///   - timesLayers: times each step, too.
  /// - Throws: `Failure` or an error that converts to one: `.different` where the outputs of the variants differ or are not
  ///   finite, and nothing was measured.
  public static func measure(
    _ model: LoadedModel, options: CompileOptions = CompileOptions(), against other: OtherVariant? = nil,
    besideMemory: Bool = false, threads: Int, seconds: Double = 5, timesLayers: Bool = false
  ) async throws -> BenchReport {
    var compile = options
    compile.weights = options.weights ?? "synthetic"
    let weighted = try await compile.load(model)
    let builder = try Builder(target: compile.target)
    let parameters = try weighted.weights.file(for: weighted.graph)
    func variant(_ name: String, _ options: Pipeline.Options) async throws -> BenchVariant {
      let compiled = try builder.compile(weighted.graph, options: options)
      return try BenchVariant(name, compiled.plan, try await builder.load(compiled), parameters, threads: threads)
    }
    let pipeline = try await compile.tuned(weighted.graph, builder, threads: threads)
    var variants = [try await variant(compile.unfused ? "unfused" : "fused", pipeline)]
    if let other {
      var changed = compile.pipeline()
      other.change(&changed)
      // A variant with other options has its own tuning problems. `untuned` only drops the measured kernels.
      let isOther = changed != compile.pipeline()
      changed = isOther ? try await compile.tuned(weighted.graph, builder, threads: threads, changed) : pipeline
      other.change(&changed)
      guard changed != pipeline else {
        throw Failure(.usage, "--compare \(other.name) together with the same option compares a variant with itself")
      }
      variants.append(try await variant(other.name, changed))
    }
    let benchmark = Benchmark(variants, input: syntheticInput(weighted.graph.input.shape), seconds: seconds)
    try benchmark.check()
    let limits = try await MachineLimits(builder)
    let neighbour = besideMemory ? try MemoryNeighbour(limits, beside: threads) : nil
    let before = limits.measure(threads: threads)
    let besideTimes = try neighbour.map { try benchmark.measure(beside: $0) }
    if neighbour == nil { try benchmark.measure() }
    let after = limits.measure(threads: threads)
    var report = BenchReport(
      weighted.graph, variants, threads: threads, target: builder.target.name,
      peak: max(before.gflops, after.gflops), bandwidth: max(before.gigabytes, after.gigabytes))
    if let neighbour, let besideTimes { report.beside = Beside(neighbour, besideTimes, over: variants[0].times) }
    if timesLayers { report.layers = try benchmark.layerTimes() }
    if other?.bySite == true { report.sites = try benchmark.siteTimes(of: weighted.graph) }
    return report
  }
}
