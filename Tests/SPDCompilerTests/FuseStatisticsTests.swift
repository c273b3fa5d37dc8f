import SPD
import TestSupport
import Testing

@testable import SPDCompiler

@Suite struct FuseStatisticsTests {
  private static func records(_ graph: Graph, disabled: Set<String> = []) throws -> (graph: Graph, remarks: [Remark]) {
    var options = Pipeline.Options()
    options.mode = .training
    options.disabled = disabled
    let (lowered, records) = try Pipeline.run(graph, options: options)
    return (lowered, records.filter { $0.pass == "fuse-statistics" }.flatMap(\.remarks))
  }

  private static func lines(_ graph: Graph) -> [String] {
    graph.brief.split(separator: "\n").map(String.init).filter { line in
      line.contains("= conv2d(") && !line.contains("adjoint") || line.contains("= statistics(")
    }
  }

  @Test func convolutionsGatherWhatTheNormalisationNeeds() throws {
    let graph = try traced(16, 8, 8, batch: 2) {
      $0.through(
        Conv2D(16, kernel: 1), Conv(24, kernel: 3), Conv(16, kernel: 1), GlobalAveragePool(), Flatten(), Linear(4))
    }
    let (before, _) = try Self.records(graph, disabled: ["fuse-statistics", "recompute"])
    let (after, remarks) = try Self.records(graph, disabled: ["recompute"])
    #expect(
      zip(Self.lines(before), Self.lines(after)).filter { $0 != $1 }.map { [$0, $1] } == [
        [
          "%2 = conv2d(%1) k=3 p=1 16→24  24×8×8", "%2 = conv2d(%1) k=3 p=1 16→24 +statistics  24×8×8",
        ],
        ["%5 = conv2d(%4) k=1 24→16  16×8×8", "%5 = conv2d(%4) k=1 24→16 +statistics  16×8×8"],
      ])
    #expect(
      remarks.map(\.message) == ["gathered by the convolution 1.conv", "gathered by the convolution 2.conv"])
    #expect(remarks.map(\.fired) == [true, true])
  }

  @Test func phasesAndImagesKeepAPassOfTheirOwn() throws {
    let graph = try traced(3, 8, 8, batch: 2) {
      $0.through(
        Conv(16, kernel: 3), Conv2D(16, kernel: 3, bias: false), SpaceToDepth(), BatchNorm(), ReLU(),
        GlobalAveragePool(), Flatten(), Linear(4))
    }
    let (lowered, remarks) = try Self.records(graph)
    #expect(!lowered.brief.contains("+statistics"))
    #expect(
      remarks.map(\.message) == [
        "the convolution 0.conv reads the image", "each phase has statistics of its own",
      ])
    #expect(remarks.map(\.fired) == [false, false])
  }

  /// Each would need slots of its own, and one of them of another kind.
  @Test(arguments: [false, true])
  func aConvolutionOfSeveralNormalisationsGathersNothing(phases: Bool) throws {
    let graph = try traced(16, 8, 8, batch: 2) { image in
      let z = image.through(Conv2D(16, kernel: 1), Conv2D(16, kernel: 3, bias: false))
      let plain = z.through(BatchNorm(), GlobalAveragePool())
      let other =
        phases ? z.through(SpaceToDepth(), BatchNorm(), Conv2D(16, kernel: 1)) : z.through(BatchNorm(), SiLU())
      return (plain + other.through(GlobalAveragePool())).through(Flatten(), Linear(4))
    }
    let (lowered, remarks) = try Self.records(graph)
    #expect(!lowered.brief.contains("+statistics"))
    #expect(remarks.count == 2)
    #expect(remarks.contains { $0.message.hasPrefix("several normalisations read the convolution") })
  }

  /// What is computed again on the way back has its statistics already.
  @Test func convolutionsThatAreComputedAgainGatherNothing() throws {
    let graph = try traced(16, 8, 8, batch: 2) {
      $0.through(
        Conv2D(16, kernel: 3), Conv(16, kernel: 1), Conv(16, kernel: 3), GlobalAveragePool(), Flatten(), Linear(4))
    }
    let (lowered, _) = try Self.records(graph)
    let gathering = lowered.nodes.filter { node in
      if case .convolution(let op) = node.op { op.epilogue.stages.gathersStatistics } else { false }
    }
    let again = lowered.nodes.filter { node in
      if case .convolution(let op) = node.op { op.adjoint == nil && node.layer == "1.conv" } else { false }
    }
    #expect(gathering.map(\.layer) == ["1.conv", "2.conv"])
    #expect(again.count == 2)
  }
}
