import Foundation
import SPDDriver
import SPDFormats
import Testing

/// `spdc run`, `verify`, `bench`, `export`.
@Suite struct RunTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func arraysInArraysOut() async throws {
    let input = HostTensor(
      shape: [2, 3, 16, 24], values: (0..<2304).map { (index: Int) -> Float in Float(index % 7) / 7 })
    try writeNPY(input, to: scratch("x.npy"))
    let run = try await spdc(
      "run", Place.tiny, "--weights", "synthetic", "--input", "x.npy", "--output", "y.npy", in: scratch.path
    ).succeeded()
    #expect(run.output == "y.npy  2×10\n")
    let both = try readNPY(scratch("y.npy"))
    #expect(both.shape == [2, 10])

    // The first image alone gives the first half, but for the algorithm that suits its size.
    try writeNPY(
      HostTensor(shape: [1, 3, 16, 24], values: Array(input.values.prefix(3 * 16 * 24))), to: scratch("x.npy"))
    try await spdc(
      "run", Place.tiny, "--weights", "synthetic", "--input", scratch("x.npy"), "--output", scratch("one.npy")
    ).succeeded()
    let one = try readNPY(scratch("one.npy")).values
    #expect(one.count == 10 && zip(one, both.values).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
  }

  @Test func sizeBatchClassesAndThreadsAreOptions() async throws {
    let answer = try await spdc(
      "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--size", "16x48", "--batch", "3",
      "--classes", "4", "--threads", "2", "--json", "--output", scratch("y.npy")
    ).succeeded().object()
    #expect(answer["input"] as? [Int] == [3, 3, 16, 48])
    #expect(answer["outputs"] as? [[Int]] == [[3, 4]])
    #expect(answer["threads"] as? Int == 2)
    #expect(answer["files"] as? [String] == [scratch("y.npy")])
  }

  @Test func severalResultsGetNumbers() async throws {
    let model = try scratch.write(
      """
      import SPD
      public let two = Model("two", input: .image(3, 16, 16)) { image, _ in
        let a = image.through(Conv2D(4, kernel: 3), ReLU())
        return [a, a.through(SpaceToDepth(), Conv2D(2, kernel: 1))]
      }
      """, "two.swift")
    let run = try await spdc(
      "run", model, "--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy")
    ).succeeded()
    #expect(run.output == "\(scratch("y-0.npy"))  1×4×16×16\n\(scratch("y-1.npy"))  1×2×8×8\n")
    #expect(try readNPY(scratch("y-1.npy")).shape == [1, 2, 8, 8])
    try await spdc("verify", model, "--against", scratch("y.npy")).succeeded()
  }

  @Test func theSameBytesForAnyNumberOfThreads() async throws {
    for threads in 1...3 {
      try await spdc(
        "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--threads", "\(threads)", "--output",
        scratch("y\(threads).npy")
      ).succeeded()
    }
    #expect(try bytes(scratch("y1.npy")) == bytes(scratch("y2.npy")))
    #expect(try bytes(scratch("y1.npy")) == bytes(scratch("y3.npy")))
  }

  @Test func everyTargetOfThisMachineGivesTheSame() async throws {
    try await spdc(
      "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--output", scratch("native.npy")
    )
    .succeeded()
    for target in ["scalar", "x86-64", "x86-64-v3", "x86-64-v4", "aarch64"] {
      let run = try await spdc(
        "run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--target", target, "--output",
        scratch("\(target).npy"))
      if run.code == 0 {
        #expect(excess(try readNPY(scratch("\(target).npy")), try readNPY(scratch("native.npy"))) <= 0)
      } else {
        run.failed(.usage, "this machine cannot run code for \(target)", "--emit c")
      }
    }
  }

  // MARK: - verify

  @Test func verifyComparesLayerByLayer() async throws {
    let run = try await spdc("verify", Place.tiny).succeeded()
    #expect(run.output.contains("results within 0.0005 + 1e-05·max|y|"))
    for options in [["--unfused"], ["--disable-pass", "fuse-space-to-depth", "--batch", "2", "--size", "16x8"]] {
      try await spdc(arguments: ["verify", Place.tiny] + options).succeeded()
    }
  }

  @Test func verifyAgainstAWrongArrayNamesTheOutput() async throws {
    try writeNPY(HostTensor(shape: [1, 10], values: (0..<10).map { Float($0) }), to: scratch("y.npy"))
    let run = try await spdc("verify", Place.tiny, "--against", scratch("y.npy"))
    #expect(run.code == 1 && run.output.contains("first off: output, 10 of 10 values beyond"))

    try writeNPY(HostTensor(shape: [1, 10], values: Array(repeating: .nan, count: 10)), to: scratch("nan.npy"))
    let json = try await spdc("verify", Place.tiny, "--against", scratch("nan.npy"), "--json")
    let answer = try json.object()
    #expect(json.code == 1 && answer["ok"] as? Bool == false && answer["firstOff"] as? String == "output")
    #expect(answer["maxDelta"] as? String == "Infinity")
  }

  @Test func verifyAgainstTheRightArrayIsContent() async throws {
    try await spdc("run", Place.tiny, "--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy"))
      .succeeded()
    let answer = try await spdc("verify", Place.tiny, "--against", scratch("y.npy"), "--json").succeeded().object()
    #expect(answer["ok"] as? Bool == true && answer["firstOff"] == nil)
  }

  @Test func verifyChecksShapes() async throws {
    try writeNPY(HostTensor(shape: [10], values: Array(repeating: 0, count: 10)), to: scratch("y.npy"))
    (try await spdc("verify", Place.tiny, "--against", scratch("y.npy")))
      .failed(.data, "y.npy has the shape 10, but tiny-spd gives 1×10")
    try writeNPY(HostTensor(shape: [1, 4, 32, 32], values: Array(repeating: 0, count: 4096)), to: scratch("x.npy"))
    (try await spdc("verify", Place.tiny, "--input", scratch("x.npy")))
      .failed(.data, "x.npy has the shape 1×4×32×32, but tiny-spd takes 1×3×32×32")
  }

  // MARK: - bench

  private struct Bench: Decodable {
    struct Variant: Decodable { var name: String, minMs: Double, medianMs: Double, runs: Int }
    struct Ratio: Decodable { var against: String, median: Double, low: Double, high: Double, conclusive: Bool }
    struct Layer: Decodable { var step: Int, layer: String, kernel: String, minMs: Double, medianMs: Double }
    var model: String, size: [Int], batch: Int, threads: Int, target: String
    var minMs: Double, medianMs: Double, p10Ms: Double, p90Ms: Double, runs: Int
    var gflops: Double, peakGflops: Double, peakShare: Double, bandwidthGbs: Double, bandwidthShare: Double
    struct Site: Decodable {
      struct Variant: Decodable { var name: String, minMs: Double, medianMs: Double }
      var layer: String, input: String, output: String, variants: [Variant], ratio: Ratio
    }
    struct Beside: Decodable { var threads: Int, gbs: Double, minMs: Double, medianMs: Double, runs: Int, ratio: Ratio }
    var variants: [Variant], ratio: Ratio?, beside: Beside?, layers: [Layer]?, sites: [Site]?
  }

  @Test func benchMeasures() async throws {
    let run = try await spdc(
      "bench", Place.tiny, "--seconds", "0.2", "--batch", "2", "--size", "16x32", "--threads", "1", "--json"
    ).succeeded()
    let bench: Bench = try run.json()
    #expect(run.output.contains("\"min_ms\"") && run.output.contains("\"median_ms\""))
    #expect(bench.model == "tiny-spd" && bench.size == [16, 32] && bench.batch == 2 && bench.threads == 1)
    #expect(bench.runs >= 10 && bench.minMs > 0 && bench.minMs <= bench.p10Ms)
    #expect(bench.p10Ms <= bench.medianMs && bench.medianMs <= bench.p90Ms)
    #expect(bench.peakGflops > 0.5 && bench.bandwidthGbs > 0.1)
    #expect(bench.peakShare > 0 && bench.peakShare < 5)
    #expect(bench.variants.map(\.name) == ["fused"] && bench.ratio == nil && bench.layers == nil)
  }

  @Test func benchMeasuresBesideNeighbours() async throws {
    let processors = try Machine.threadBudget().affinity
    (try await spdc("bench", Place.tiny, "--beside", "memory", "--threads", "\(processors)"))
      .failed(
        .usage, processors > 1 ? "add --threads \(processors - 1) or less" : "--beside needs a second processor")
    (try await spdc("bench", Place.tiny, "--beside", "memory", "--compare", "unfused"))
      .failed(.usage, "--beside cannot be combined with --compare")
    guard processors > 1 else { return }
    let run = ["bench", Place.tiny, "--beside", "memory", "--threads", "\(processors - 1)", "--seconds", "0.1"]
    let bench: Bench = try await spdc(arguments: run + ["--json"]).succeeded().json()
    let beside = try #require(bench.beside)
    #expect(beside.threads == 1 && beside.gbs > 0.1 && beside.minMs > 0 && beside.minMs <= beside.medianMs)
    #expect(bench.runs >= 12 && beside.runs >= 12 && beside.ratio.low <= beside.ratio.median)
    #expect(bench.ratio == nil && beside.ratio.against == "quiet")
    #expect(try await spdc(arguments: run).succeeded().output.contains("beside 1 thread copying memory at "))
  }

  @Test func benchComparesAndTimesLayers() async throws {
    let bench: Bench = try await spdc(
      "bench", Place.tiny, "--seconds", "0.2", "--compare", "unfused", "--layers", "--json"
    ).succeeded().json()
    #expect(bench.variants.map(\.name) == ["fused", "unfused"])
    let ratio = try #require(bench.ratio)
    #expect(ratio.against == "unfused" && ratio.low <= ratio.median && ratio.median <= ratio.high)
    let layers = try #require(bench.layers)
    #expect(layers.count >= 5 && layers.allSatisfy { $0.minMs <= $0.medianMs && !$0.kernel.isEmpty })

    let text = try await spdc("bench", Place.tiny, "--seconds", "0.1", "--compare", "unfused").succeeded().output
    #expect(text.contains("min,") && text.contains("FMA peak") && text.contains("GB/s"))
  }

  @Test func benchComparesWithoutAPass() async throws {
    let variant = "disable:fuse-space-to-depth"
    let bench: Bench = try await spdc(
      "bench", Place.tiny, "--seconds", "0.1", "--compare", variant, "--json"
    ).succeeded().json()
    #expect(bench.variants.map(\.name) == ["fused", variant] && bench.ratio?.against == variant)
    #expect(bench.sites == nil)

    let text = try await spdc("bench", Place.tiny, "--seconds", "0.1", "--compare", variant).succeeded().output
    #expect(text.contains("fused against \(variant): "))
    let twice = try await spdc(
      "bench", Place.tiny, "--compare", "disable:fuse-residual", "--disable-pass", "fuse-residual")
    twice.failed(.usage, "compares a variant with itself")
    (try await spdc("bench", Place.tiny, "--compare", "disable:nonsense"))
      .failed(.usage, "no optional pass is called nonsense; there are")
  }

  @Test func benchComparesSpaceToDepths() async throws {
    let bench: Bench = try await spdc(
      "bench", Place.tiny, "--seconds", "0.1", "--compare", "sites", "--json"
    ).succeeded().json()
    #expect(bench.variants.map(\.name) == ["fused", "unfused"] && bench.ratio?.against == "unfused")
    let sites = try #require(bench.sites)
    #expect(sites.map(\.layer) == ["3", "7"])
    #expect(sites.map(\.input) == ["16×32×32", "32×16×16"] && sites.map(\.output) == ["64×16×16", "128×8×8"])
    for site in sites {
      #expect(site.variants.map(\.name) == ["fused", "unfused"])
      #expect(site.variants.allSatisfy { 0 < $0.minMs && $0.minMs <= $0.medianMs })
      #expect(site.ratio.low <= site.ratio.median && site.ratio.median <= site.ratio.high)
    }

    let text = try await spdc("bench", Place.tiny, "--seconds", "0.1", "--compare", "sites").succeeded().output
    #expect(text.contains("space-to-depth") && text.contains("16×32×32 → 64×16×16"))
    let strided = try await spdc(
      "bench", "resnet18", "--size", "32x32", "--seconds", "0.1", "--compare", "sites"
    ).succeeded().output
    #expect(strided.contains("this network has no space-to-depth"))
  }

  @Test func benchRefusesToMeasureOnFewerThreadsThanAsked() async throws {
    let run = try await spdc(
      "bench", Place.tiny, "--seconds", "0.1", "--threads", "2", environment: ["OMP_THREAD_LIMIT": "1"])
    run.failed(.unavailable, "2 threads were requested, but OpenMP granted 1")
  }

  // MARK: - export

  @Test func exportWritesAProtobuf() async throws {
    let answer = try await spdc(
      "export", Place.tiny, "--weights", "synthetic", "-o", scratch("m.onnx"), "--json"
    ).succeeded().object()
    let file = try bytes(scratch("m.onnx"))
    #expect(answer["bytes"] as? Int == file.count && file.count > 27930 * 4)
    // ModelProto: every top-level field is well-formed, and the graph (7) names its input and output.
    func message(_ field: Int, of bytes: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
      var reader = ProtobufReader(bytes, path: "m.onnx")
      var found: ArraySlice<UInt8>?
      while let next = try reader.next() { if next.field == field { found = next.value.bytes } }
      return try #require(found)
    }
    let graph = try message(7, of: file[...])
    let names = try [11, 12].map { String(decoding: try message(1, of: message($0, of: graph)), as: UTF8.self) }
    #expect(names == ["images", "output"])
  }
}
