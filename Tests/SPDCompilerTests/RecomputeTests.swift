import Models
import SPD
import TestSupport
import Testing

@testable import SPDCompiler
@testable import SPDReference

@Suite("recompute") struct RecomputeTests {
  private static func lowered(_ graph: Graph, convolutions: Int = 0, disabled: Set<String> = []) throws -> Graph {
    var options = Pipeline.Options()
    options.mode = .training
    options.disabled = disabled
    options.recomputedConvolutions = convolutions
    return try Pipeline.run(graph, options: options).graph
  }

  private static func arena(_ graph: Graph) throws -> Int {
    try LowerToPlan.plan(graph, prefix: "net", target: .x86v3, mode: .training).arenaCount
  }

  private static func small() throws -> Graph {
    try traced(16, 8, 8, batch: 2) {
      $0.through(
        Conv(16, kernel: 3), Conv(16, kernel: 3), Conv(16, kernel: 3), GlobalAveragePool(), Flatten(), Linear(4))
    }
  }

  @Test func normalisedResultsAreComputedAgain() throws {
    let before = try Self.lowered(Self.small(), disabled: ["recompute"])
    let after = try Self.lowered(Self.small())
    func back(_ graph: Graph) -> [String] {
      graph.brief.split(separator: "\n").map(String.init).drop { !$0.contains("cross_entropy") }
        .filter { $0.contains("normalize(") || $0.contains("weight_gradient(") }
    }
    #expect(
      back(before) == [
        "%19 = weight_gradient(%10, %18) k=1 5.weight  4×1×1",
        "%27 = weight_gradient(%6, %25) k=3 2.conv.weight  16×1×1",
        "%33 = weight_gradient(%3, %31) k=3 1.conv.weight  16×1×1",
        "%39 = weight_gradient(%17, %37) k=3 0.conv.weight  16×1×1",
      ])
    #expect(
      back(after) == [
        "%19 = weight_gradient(%10, %18) k=1 5.weight  4×1×1",
        "%40 = normalize(%4, %15) *bn +silu  16×8×8",
        "%27 = weight_gradient(%40, %25) k=3 2.conv.weight  16×1×1",
        "%41 = normalize(%1, %14) *bn +silu  16×8×8",
        "%33 = weight_gradient(%41, %31) k=3 1.conv.weight  16×1×1",
        "%39 = weight_gradient(%17, %37) k=3 0.conv.weight  16×1×1",
      ])
  }

  /// A convolution of 16 inputs and one tap is computed again, one of nine taps is kept.
  @Test func cheapConvolutionsAreComputedAgain() throws {
    let graph = try traced(16, 8, 8, batch: 2) {
      $0.through(
        Conv(16, kernel: 3), Conv(16, kernel: 1), Conv(16, kernel: 3), GlobalAveragePool(), Flatten(), Linear(4))
    }
    func back(_ graph: Graph) -> [String] {
      graph.brief.split(separator: "\n").map(String.init).drop { !$0.contains("cross_entropy") }
        .filter { $0.contains("= conv2d(") && !$0.contains("adjoint") }
    }
    #expect(try back(Self.lowered(graph, disabled: ["recompute"])).isEmpty)
    let again = try back(Self.lowered(graph))
    #expect(again.count == 1 && again[0].contains("k=1 16→16"), "\(again)")
  }

  /// Whatever is computed again, gradients are the same numbers, and each further convolution takes no more memory.
  @Test(arguments: DifferentiateTests.networks.indices)
  func gradientsStay(_ index: Int) throws {
    let graph = try traced(3, 16, 16, batch: 2, DifferentiateTests.networks[index].1)
    func gradients(_ graph: Graph) throws -> [String: [Double]] {
      try Interpreter(graph: graph, precision: .double) { syntheticParameter(graph.parameter($0)!) }
        .trainingStep(input: syntheticInput(graph.input.shape), labels: [0, 1]).gradients
    }
    let kept = try Self.lowered(graph, disabled: ["recompute"])
    let expected = try gradients(kept)
    let all = kept.recomputableConvolutions
    #expect(all > 0)
    for count in [0, all / 2, all] {
      let again = try Self.lowered(graph, convolutions: count)
      #expect(try gradients(again) == expected)
    }
  }

  @Test func memoryShrinks() throws {
    let model = try #require(shippedModels.first { $0.name == "resnet18-spd" })
    let graph = try model.graph(size: Size2D(64, 64), batch: 8)
    let kept = try Self.lowered(graph, disabled: ["recompute"])
    let normalised = try Self.arena(Self.lowered(graph))
    let convolutions = try Self.arena(Self.lowered(graph, convolutions: kept.recomputableConvolutions))
    #expect(try Double(normalised) < 0.8 * Double(Self.arena(kept)))
    #expect(convolutions < normalised)
  }
}
