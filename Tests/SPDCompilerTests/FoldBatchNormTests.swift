import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct FoldBatchNormTests {
  @Test func intoTheConvolutionInFront() throws {
    var graph = try traced(3, 4, 4) { $0.through(Conv2D(8, kernel: 3, bias: false), BatchNorm()) }
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %1 = conv2d(%0) k=3 p=1 3→8  8×4×4
        %2 = batch_norm(%1)  8×4×4
        return %2

        """)
    #expect(try graph.apply(.foldBatchNorm) == ["1: folded into the weights of 0"])
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %2 = conv2d(%0) k=3 p=1 3→8 *bn  8×4×4
        return %2

        """)
  }

  @Test func byPhaseIntoTheEpilogue() throws {
    var graph = try traced(3, 4, 4) {
      $0.through(Conv2D(8, kernel: 3, bias: false), SpaceToDepth(), BatchNorm())
    }.after(.hoistOverSpaceToDepth)
    #expect(try graph.apply(.foldBatchNorm) == ["2: scale and shift by phase in the epilogue of 0"])
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %2 = conv2d(%0) k=3 p=1 3→8 *phase_bn  8×4×4
        %3 = space_to_depth(%2) scale=2 order=paper  32×2×2
        return %3

        """)
  }

  @Test func onlyAConvolutionTakesIt() throws {
    let graph = try traced(3, 4, 4) { $0.through(ReLU(), BatchNorm()) }
    #expect(try graph.remarks(.foldBatchNorm) == ["- 1: what it normalises is no convolution"])
    #expect(try graph.after(.foldBatchNorm) == graph)
  }

  @Test func onlyIfNothingElseReadsTheConvolution() throws {
    let graph = try traced(3, 4, 4) { image in
      let conv = Conv2D(8, kernel: 1)(image)
      return [BatchNorm()(conv), ReLU()(conv)]
    }
    #expect(try graph.remarks(.foldBatchNorm) == ["- 1: others read the convolution 0 too"])
    let returned = try traced(3, 4, 4) { image in
      let conv = Conv2D(8, kernel: 1)(image)
      return [BatchNorm()(conv), conv]
    }
    #expect(try returned.remarks(.foldBatchNorm) == ["- 1: others read the convolution 0 too"])
  }

  @Test func onlyTheFirstOfTwo() throws {
    let graph = try traced(3, 4, 4) { $0.through(Conv2D(8, kernel: 1), BatchNorm(), BatchNorm()) }
    #expect(
      try graph.remarks(.foldBatchNorm) == [
        "1: folded into the weights of 0", "- 2: the convolution 0 has an epilogue already",
      ])
  }

  /// The kernel of groups of whole blocks runs once per group and has no scales and shifts by phase.
  @Test func aGroupedConvolutionTellsNoPhasesApart() throws {
    let graph = try traced(32, 4, 4) {
      $0.through(Conv2D(32, kernel: 3, groups: 2, bias: false), SpaceToDepth(), BatchNorm())
    }.after(.hoistOverSpaceToDepth)
    #expect(try graph.remarks(.foldBatchNorm) == ["- 2: the grouped convolution 0 does not tell phases apart"])
    #expect(try graph.after(.foldBatchNorm) == graph)
  }

  @Test func notForTraining() { #expect(Pass.foldBatchNorm.modes == [.inference]) }
}
