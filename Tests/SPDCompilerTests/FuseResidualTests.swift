import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct FuseResidualTests {
  @Test func whereTheConvolutionStoresItsResult() throws {
    var graph = try traced(8, 4, 4) { image in
      let x = MaxPool(1)(image)
      return x.through(Conv2D(8, kernel: 3), SiLU()) + x
    }.after(.fuseActivation)
    #expect(
      graph.brief == """
        %0 = input()  8×4×4
        %1 = max_pool(%0) k=1  8×4×4
        %3 = conv2d(%1) k=3 p=1 8→8 +silu  8×4×4
        %4 = add(%3, %1)  8×4×4
        return %4

        """)
    #expect(try graph.apply(.fuseResidual) == [": added by the convolution 1"])
    #expect(
      graph.brief == """
        %0 = input()  8×4×4
        %1 = max_pool(%0) k=1  8×4×4
        %4 = conv2d(%1, %1) k=3 p=1 8→8 +silu +residual  8×4×4
        return %4

        """)
  }

  @Test func theSecondSummandMayBeTheConvolution() throws {
    let graph = try traced(8, 4, 4) { image in image + Conv2D(8, kernel: 3)(image) }
    #expect(
      try graph.after(.fuseResidual).brief == """
        %0 = input()  8×4×4
        %2 = conv2d(%0, %0) k=3 p=1 8→8 +residual  8×4×4
        return %2

        """)
  }

  @Test func ofTwoConvolutionsTheFirst() throws {
    let graph = try traced(8, 4, 4) { image in Conv2D(8, kernel: 3)(image) + Conv2D(8, kernel: 1)(image) }
    #expect(
      try graph.after(.fuseResidual).brief == """
        %0 = input()  8×4×4
        %2 = conv2d(%0) k=1 8→8  8×4×4
        %3 = conv2d(%0, %2) k=3 p=1 8→8 +residual  8×4×4
        return %3

        """)
  }

  @Test func aSummandMustBeAConvolution() throws {
    let refusal = ["- : neither summand is a convolution that nothing else reads"]
    let pools = try traced(8, 4, 4) { image in MaxPool(1)(image) + image }
    #expect(try pools.remarks(.fuseResidual) == refusal)
    let shared = try traced(8, 4, 4) { image in
      let conv = Conv2D(8, kernel: 1)(image)
      return [conv + image, conv]
    }
    #expect(try shared.remarks(.fuseResidual) == refusal)
    // One result as both summands is read twice.
    let doubled = try traced(8, 4, 4) { image in
      let conv = Conv2D(8, kernel: 1)(image)
      return conv + conv
    }
    #expect(try doubled.remarks(.fuseResidual) == refusal)
  }

  @Test func oneResidualPerConvolution() throws {
    let graph = try traced(8, 4, 4) { image in Conv2D(8, kernel: 1)(image) + image + image }
    #expect(
      try graph.remarks(.fuseResidual) == [
        ": added by the convolution 0", "- : the convolution 0 adds another residual already",
      ])
  }
}
