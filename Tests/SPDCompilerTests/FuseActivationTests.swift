import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct FuseActivationTests {
  @Test func whereTheConvolutionStoresItsResult() throws {
    var graph = try traced(3, 4, 4) { $0.through(Conv2D(8, kernel: 3), SiLU()) }
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %1 = conv2d(%0) k=3 p=1 3→8  8×4×4
        %2 = silu(%1)  8×4×4
        return %2

        """)
    #expect(try graph.apply(.fuseActivation) == ["1: applied by the convolution 0"])
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %2 = conv2d(%0) k=3 p=1 3→8 +silu  8×4×4
        return %2

        """)
  }

  @Test func behindASum() throws {
    var graph = try traced(8, 4, 4) { image in
      let x = ReLU()(image)
      return (Conv2D(8, kernel: 3)(x) + x).through(LeakyReLU())
    }.after(.fuseActivation, .fuseResidual)
    #expect(
      graph.brief == """
        %0 = input()  8×4×4
        %1 = relu(%0)  8×4×4
        %3 = conv2d(%1, %1) k=3 p=1 8→8 +residual  8×4×4
        %4 = leaky_relu(%3)  8×4×4
        return %4

        """)
    #expect(try graph.apply(.fuseFinalActivation) == ["2: applied by the convolution 1"])
    #expect(
      graph.brief == """
        %0 = input()  8×4×4
        %1 = relu(%0)  8×4×4
        %4 = conv2d(%1, %1) k=3 p=1 8→8 +residual +leaky_relu  8×4×4
        return %4

        """)
  }

  @Test func beforeAndBehindTheSum() throws {
    let graph = try traced(8, 4, 4) { image in (image.through(Conv2D(8, kernel: 3), SiLU()) + image).through(ReLU()) }
    let fused = try graph.after(.fuseActivation, .fuseResidual, .fuseFinalActivation)
    #expect(
      fused.brief == """
        %0 = input()  8×4×4
        %4 = conv2d(%0, %0) k=3 p=1 8→8 +silu +residual +relu  8×4×4
        return %4

        """)
  }

  @Test(arguments: [Pass.fuseActivation.name, Pass.fuseFinalActivation.name])
  func onlyIfNothingElseReadsTheConvolution(name: String) throws {
    let pass = try #require(Pipeline.passes.first { $0.name == name })
    let graph = try traced(3, 4, 4) { image in
      let conv = Conv2D(8, kernel: 1)(image)
      return ReLU()(conv) + conv
    }
    #expect(try graph.remarks(pass) == ["- 1: others read the convolution 0 too"])
  }

  @Test func onlyTheFirstOfTwo() throws {
    let graph = try traced(3, 4, 4) { $0.through(Conv2D(8, kernel: 1), ReLU(), SiLU()) }
    #expect(
      try graph.remarks(.fuseActivation) == [
        "1: applied by the convolution 0", "- 2: the convolution 0 has an activation already",
      ])
    let sum = try traced(8, 4, 4) { image in (Conv2D(8, kernel: 1)(image) + image).through(ReLU(), SiLU()) }
    #expect(
      try sum.after(.fuseResidual).remarks(.fuseFinalActivation) == [
        "1: applied by the convolution 0", "- 2: the convolution 0 has an activation already",
      ])
  }

  @Test func nothingButAConvolutionActivates() throws {
    let graph = try traced(3, 4, 4) { $0.through(MaxPool(2), ReLU()) }
    #expect(try graph.remarks(.fuseActivation).isEmpty)
    #expect(try graph.after(.fuseActivation) == graph)
  }
}
