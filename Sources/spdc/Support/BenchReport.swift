import Foundation
import SPD
import SPDCompiler

/// The figures of a benchmark, for people and for scripts.
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

  /// How many times as fast the first variant is, with a 95 % interval.
  struct Ratio: Encodable {
    var against: String, median: Double, low: Double, high: Double
    /// False if the interval contains 1: the noise is larger than the difference.
    var conclusive: Bool
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
  /// Weights and activations that have to cross the memory bus at least once, over what the bus carries in that time.
  var bandwidthShare: Double
  var variants: [Variant]
  var ratio: Ratio?
  var layers: [Bench.Step]?

  enum CodingKeys: String, CodingKey {
    case model, size, batch, threads, target, processor, runs, gflop, gflops, variants, ratio, layers
    case minMs = "min_ms"
    case medianMs = "median_ms"
    case p10Ms = "p10_ms"
    case p90Ms = "p90_ms"
    case peakGflops = "peak_gflops"
    case peakShare = "peak_share"
    case bandwidthGbs = "bandwidth_gbs"
    case bandwidthShare = "bandwidth_share"
  }

  init(_ graph: Graph, _ measured: [Bench.Variant], threads: Int, target: String, peak: Double, bandwidth: Double) {
    variants = measured.map { variant in
      let samples = variant.samples
      // What it multiplies, which passes may have made less than the network declares.
      let gflops = Double(variant.plan.graph.cost.flops) / samples.min / 1e6
      return Variant(
        name: variant.name, minMs: samples.min, medianMs: samples.median, p10Ms: samples.quantile(0.1),
        p90Ms: samples.quantile(0.9), runs: variant.milliseconds.count, gflops: gflops, peakShare: gflops / peak,
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
    if measured.count == 2 { ratio = Self.ratio(measured[1], over: measured[0]) }
  }

  /// Of the paired times of each round, by resampling the rounds 2000 times with a fixed seed.
  private static func ratio(_ slow: Bench.Variant, over fast: Bench.Variant) -> Ratio {
    let pairs = zip(slow.milliseconds, fast.milliseconds).map { $0 / $1 }
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    let medians = Samples(
      (0..<2000).map { _ in Samples((0..<pairs.count).map { _ in pairs[next(pairs.count)] }).median })
    let (low, high) = (medians.quantile(0.025), medians.quantile(0.975))
    return Ratio(
      against: slow.name, median: Samples(pairs).median, low: low, high: high, conclusive: low > 1 || high < 1)
  }

  func print() {
    Console.print(
      "\(model)  \(size[0])×\(size[1]), batch \(batch), \(threads) thread\(threads == 1 ? "" : "s"), \(target) "
        + "(\(processor))")
    for variant in variants {
      let name = variant.name + String(repeating: " ", count: max(1, 9 - variant.name.count))
      Console.print(
        String(
          format:
            "  %@%8.2f ms min, %8.2f median  (%.2f … %.2f, %d runs)  %.0f GFLOP/s = %.0f %% of the FMA peak, arena %@",
          name, variant.minMs, variant.medianMs, variant.p10Ms, variant.p90Ms, variant.runs, variant.gflops,
          100 * variant.peakShare, megabytes(variant.arenaBytes)))
    }
    Console.print(
      String(
        format: "  this machine, same run: FMA peak %.0f GFLOP/s, memory %.1f GB/s (%.0f %% used)", peakGflops,
        bandwidthGbs, 100 * bandwidthShare))
    guard let ratio else { return }
    if ratio.conclusive {
      Console.print(
        String(
          format: "  %@ is %.2f× as fast (95 %% interval %.2f … %.2f)", variants[0].name, ratio.median, ratio.low,
          ratio.high))
    } else {
      Console.print(
        String(
          format: "  no difference can be concluded: the 95 %% interval of the ratio is %.3f … %.3f", ratio.low,
          ratio.high))
    }
  }
}

extension Bench { typealias Report = BenchReport }
