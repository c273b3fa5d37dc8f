import Foundation
import SPD
import SPDCompiler
import SPDDriver

/// The measurements of a benchmark, as text and as JSON.
struct BenchReport: Encodable {
  struct Variant: Encodable {
    var name: String, minMs: Double, medianMs: Double, p10Ms: Double, p90Ms: Double, runs: Int
    var gflops: Double, peakShare: Double, arenaBytes: Int
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

  var model: String
  var size: [Int]
  var batch: Int
  var threads: Int
  var target: String
  var processor: String
  var minMs: Double
  var medianMs: Double
  var p10Ms: Double
  var p90Ms: Double
  var runs: Int
  var gflop: Double
  var gflops: Double
  var peakGflops: Double
  var peakShare: Double
  var bandwidthGbs: Double
  /// Minimum memory traffic (weights and activations once each) as a fraction of the measured bandwidth.
  var bandwidthShare: Double
  var variants: [Variant]
  var ratio: Ratio?
  var layers: [Benchmark.Step]?
  var sites: [SiteReport]?

  enum CodingKeys: String, CodingKey {
    case model, size, batch, threads, target, processor, runs, gflop, gflops, variants, ratio, layers, sites
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

  func print() {
    Console.print(
      "\(model)  \(size[0])×\(size[1]), batch \(batch), \(threads) thread\(threads == 1 ? "" : "s"), \(target) "
        + "(\(processor))")
    let width = variants.map(\.name.count).max() ?? 0
    for variant in variants {
      let name = variant.name + String(repeating: " ", count: width - variant.name.count)
      Console.print(
        String(
          format:
            "  %@ %8.2f ms min, %8.2f median  (%.2f … %.2f, %d runs)  %.0f GFLOP/s = %.0f %% of the FMA peak, arena %@",
          name, variant.minMs, variant.medianMs, variant.p10Ms, variant.p90Ms, variant.runs, variant.gflops,
          100 * variant.peakShare, megabytes(variant.arenaBytes)))
    }
    Console.print(
      String(
        format: "  this machine, same run: FMA peak %.0f GFLOP/s, memory %.1f GB/s (%.0f %% used)", peakGflops,
        bandwidthGbs, 100 * bandwidthShare))
    guard let ratio else { return }
    let pair = "\(variants[0].name) against \(ratio.against)"
    Console.print("  \(pair): " + (ratio.conclusive ? "faster by \(ratio.text)" : ratio.text) + ", 95 % interval")
  }
}

extension Bench { typealias Report = BenchReport }
