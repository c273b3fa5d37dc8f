import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct LowerLinearTests {
  @Test func aLinearLayerIsAConvolutionOverItsWholeInput() throws {
    var graph = try traced(8, 4, 4) { $0.through(Flatten(), Linear(10)) }
    #expect(
      graph.brief == """
        %0 = input()  8×4×4
        %1 = flatten(%0)  128×1×1
        %2 = linear(%1) 128→10  10×1×1
        return %2

        """)
    #expect(try graph.apply(.lowerLinear) == ["1: linear layer as a convolution with kernel 4"])
    #expect(
      graph.brief == """
        %0 = input()  8×4×4
        %1 = flatten(%0)  128×1×1
        %2 = conv2d(%0) k=4 8→10  10×1×1
        return %2

        """)
    #expect(try graph.after(.removeUnread).nodes.map(\.id) == [0, 2])
  }

  @Test func aFlattenOfSinglePixelsGoes() throws {
    var graph = try traced(8, 4, 2) { $0.through(GlobalAveragePool(), Flatten(), Linear(10), Flatten()) }
    #expect(try graph.apply(.lowerLinear) == ["2: linear layer as a convolution with kernel 1"])
    #expect(
      graph.brief == """
        %0 = input()  8×4×2
        %1 = global_average_pool(%0)  8×1×1
        %3 = conv2d(%1) k=1 8→10  10×1×1
        return %3

        """)
  }

  @Test func aFlattenWithOtherReadersStays() throws {
    let graph = try traced(2, 2, 3) { image in
      let flat = Flatten()(image)
      return [Linear(4)(flat), ReLU()(flat)]
    }
    #expect(
      try graph.after(.lowerLinear, .removeUnread).brief == """
        %0 = input()  2×2×3
        %1 = flatten(%0)  12×1×1
        %2 = conv2d(%0) k=2×3 2→4  4×1×1
        %3 = relu(%1)  12×1×1
        return %2, %3

        """)
  }

  @Test func linearLayersInAChain() throws {
    let graph = try traced(2, 2, 2) { $0.through(Flatten(), Linear(6), ReLU(), Linear(3, bias: false)) }
    #expect(
      try graph.after(.lowerLinear, .removeUnread).brief == """
        %0 = input()  2×2×2
        %2 = conv2d(%0) k=2 2→6  6×1×1
        %3 = relu(%2)  6×1×1
        %4 = conv2d(%3) k=1 6→3  3×1×1
        return %4

        """)
  }
}
