import SPD
import TestSupport
import Testing

@testable import SPDCompiler

/// What each kind of node reads in place; the remarks of the passes quote these reasons.
struct ViewRulesTests {
  /// The reason why the last node of a network does not read the reindexing in front of it in place.
  private func obstacle(_ channels: Int, _ body: @escaping @Sendable (Tensor) -> Tensor) throws -> String? {
    let graph = try traced(channels, 8, 8, body)
    let node = graph.nodes[graph.nodes.count - 1]
    let view = try #require(graph.view(of: graph.nodes[graph.nodes.count - 2]))
    return ViewRules.obstacle(for: node, input: 0, reading: view, in: graph)
  }

  /// The same if what is reindexed is not the image.
  private func inner(_ channels: Int, _ body: @escaping @Sendable (Tensor) -> Tensor) throws -> String? {
    try obstacle(channels) { body(MaxPool(1)($0)) }
  }

  @Test func aConvolutionReadsAlmostEverything() throws {
    #expect(try inner(32) { $0.channels(16..<32).through(Conv2D(8, kernel: 3)) } == nil)
    #expect(try inner(24) { concat($0, $0).through(Conv2D(8, kernel: 3, stride: 2, dilation: 2)) } == nil)
    #expect(try inner(24) { $0.through(SpaceToDepth(order: .pixelUnshuffle), Conv2D(8, kernel: 3)) } == nil)
    #expect(try inner(24) { $0.upsampled(2).through(Conv2D(8, kernel: 1)) } == nil)
  }

  @Test func aViewBeginsAtABlock() throws {
    #expect(
      try inner(32) { $0.channels(5..<21).through(Conv2D(8, kernel: 3)) }
        == "it begins at channel 5, which is no multiple of 16")
  }

  @Test func onlyA1x1ConvolutionReadsAnUpsampledTensor() throws {
    #expect(
      try inner(16) { $0.upsampled(2).through(Conv2D(8, kernel: 3)) }
        == "only a 1×1 convolution reads an upsampled tensor in place; this one has kernel 3, padding 1")
    #expect(
      try inner(16) { $0.upsampled(2).through(Conv2D(8, kernel: 1, stride: 2)) }
        == "only a 1×1 convolution reads an upsampled tensor in place; this one has kernel 1, stride 2")
    #expect(
      try inner(16) { $0.upsampled(2).through(Conv2D(8, kernel: 1, padding: 1)) }
        == "only a 1×1 convolution reads an upsampled tensor in place; this one has kernel 1, padding 1")
  }

  @Test func aGroupedConvolutionReadsOneTensor() throws {
    #expect(try inner(32) { $0.channels(16..<32).through(Conv2D(8, kernel: 3, groups: 2)) } == nil)
    for reindexed: @Sendable (Tensor) -> Tensor in [
      { concat($0, $0) }, { SpaceToDepth()($0) }, { $0.upsampled(2) },
    ] {
      #expect(
        try inner(16) { reindexed($0).through(Conv2D(8, kernel: 1, groups: 2)) }
          == "a grouped convolution reads one tensor without reindexing")
    }
  }

  @Test func everythingElseReadsOneTensor() throws {
    #expect(try inner(32) { $0.channels(16..<32).through(MaxPool(2)) } == nil)
    for layer in [MaxPool(2), BatchNorm(), SiLU(), GlobalAveragePool(), Softmax()] as [any Layer] {
      nonisolated(unsafe) let layer = layer
      let name = try #require(try traced(16, 8, 8) { layer($0) }.nodes.last?.op.name)
      #expect(
        try inner(16) { concat($0, $0).through(layer) } == "\(name) reads one tensor without reindexing")
    }
  }

  @Test func theWholeImageIsReadInPlace() throws {
    #expect(try obstacle(3) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3)) } == nil)
    #expect(
      try obstacle(1) { $0.through(SpaceToDepth(scale: 4, order: .onnx), Conv2D(8, kernel: 3, stride: 2)) } == nil)
    let whole = "only the whole image, itself or through one space-to-depth, is read in place"
    #expect(try obstacle(3) { concat($0, $0).through(Conv2D(8, kernel: 3)) } == whole)
    #expect(try obstacle(3) { $0.channels(0..<2).through(Conv2D(8, kernel: 3)) } == whole)
    #expect(try obstacle(3) { $0.upsampled(2).through(Conv2D(8, kernel: 3)) } == whole)
    // More than four channels fill blocks well enough.
    #expect(try obstacle(5) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3)) } == whole)
  }

  @Test func theKernelOfTheImageIsSimple() throws {
    let simple = "the image is read in place without groups or dilation and with one stride"
    #expect(try obstacle(3) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3, groups: 4)) } == simple)
    #expect(try obstacle(3) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3, dilation: 2)) } == simple)
    #expect(try obstacle(3) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3, stride: Size2D(1, 2))) } == simple)
  }

  @Test func nothingElseReadsTheImage() throws {
    #expect(
      try obstacle(3) { $0.through(SpaceToDepth(), MaxPool(2)) } == "max_pool does not read the caller's image")
  }

  @Test func theResidualIsOneTensor() throws {
    let graph = try traced(16, 8, 8) { image in
      let x = MaxPool(1)(image)
      return Conv2D(32, kernel: 1)(x) + concat(x, x)
    }.after(.fuseResidual)
    #expect(
      try graph.remarks(.elideConcat) == [
        "- 2: conv2d 1 cannot read it in place: conv2d reads one tensor without reindexing"
      ])
  }
}
