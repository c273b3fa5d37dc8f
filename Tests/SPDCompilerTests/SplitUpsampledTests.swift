import TestSupport
import Testing

@testable import SPD
@testable import SPDCompiler

struct SplitUpsampledTests {
  /// A neck: `channels` channels upsampled beside 16 others, behind the passes that make views of them.
  private func neck(
    _ channels: Int = 32, factor: Int = 2, _ end: @escaping @Sendable (Tensor) -> Tensor
  ) throws -> Graph {
    try traced(48, 8, 8) { image in
      let x = MaxPool(1)(image)
      let small = MaxPool(Size2D(factor))(x).channels(0..<channels).upsampled(factor)
      return end(concat(small, x.channels(0..<16)))
    }.after(.foldBatchNorm, .fuseActivation, .fuseResidual, .mergeSiblingConvolutions)
      .after(.elideSlice, .elideConcat, .elideUpsample, .fuseSpaceToDepth, .removeUnread)
  }

  @Test func theUpsampledPartHasSumsOfItsOwn() throws {
    var graph = try neck { $0.through(Conv2D(8, kernel: 1, bias: false), BatchNorm(), SiLU()) }
    #expect(
      graph.brief == """
        %0 = input()  48×8×8
        %1 = max_pool(%0) k=1  48×8×8
        %2 = max_pool(%1) k=2 s=2  48×4×4
        %9 = conv2d(%2{0..<32}^2 ++ %1{0..<16}) k=1 48→8 *bn +silu  8×8×8
        return %9

        """)
    #expect(
      try graph.apply(.splitUpsampled) == ["4: 32 of its 48 input channels are multiplied before their upsampling"]
    )
    #expect(
      graph.brief == """
        %0 = input()  48×8×8
        %1 = max_pool(%0) k=1  48×8×8
        %2 = max_pool(%1) k=2 s=2  48×4×4
        %10 = conv2d(%2{0..<32}) k=1 32/48→8 *bn  8×4×4
        %9 = conv2d(%1{0..<16}→32, %10^2) k=1 16/48→8 *bn +accumulator +silu  8×8×8
        return %9

        """)
    #expect(try graph.remarks(.splitUpsampled) == [])
  }

  /// Siblings are split together; the bias goes where the sums begin, and the residual stays with the epilogue.
  @Test func partsAndEpilogue() throws {
    let siblings = try neck { x in
      concat(ReLU()(Conv2D(16, kernel: 1)(x)), x.through(Conv2D(8, kernel: 1, bias: false), BatchNorm(), ReLU()))
        .through(MaxPool(2))
    }.after(.splitUpsampled)
    #expect(
      siblings.nodes.filter { $0.op.name == "conv2d" }.map { siblings.expression(of: $0) } == [
        "conv2d(%2{0..<32}) k=1 32/48→16+8 *bn", "conv2d(%1{0..<16}→32, %14^2) k=1 16/48→16+8 *bn +accumulator +relu",
      ])
    let parts = siblings.nodes.compactMap { if case .convolution(let op) = $0.op { op.parts } else { nil } }
    #expect(parts.map { $0.map { $0.bias != nil } } == [[true, false], [false, false]])
    #expect(parts.map { $0.map { $0.batchNorm != nil } } == [[false, true], [false, true]])

    let residual = try neck { $0.through(Conv2D(48, kernel: 1), SiLU()) + $0 }.after(.splitUpsampled)
    #expect(
      residual.expression(of: residual.nodes.last!)
        == "conv2d(%1{0..<16}→32, %10^2, %6) k=1 16/48→48 +accumulator +silu +residual")
  }

  @Test func whatStaysWhole() throws {
    func remarks(_ graph: Graph) throws -> [String] {
      #expect(try graph.after(.splitUpsampled) == graph)
      return try graph.remarks(.splitUpsampled)
    }
    // A 3×3 does not read upsampled views.
    #expect(try remarks(neck { $0.through(Conv2D(8, kernel: 3)) }) == [])
    #expect(
      try remarks(neck(8) { $0.through(Conv2D(8, kernel: 1)) })
        == ["- 4: too few of its input channels are upsampled"])
    #expect(try neck(8, factor: 4) { $0.through(Conv2D(8, kernel: 1)) }.remarks(.splitUpsampled).count == 1)
    let several = try traced(32, 8, 8) { image in
      let x = MaxPool(1)(image)
      return concat(x, MaxPool(2)(x).upsampled(2), MaxPool(4)(x).upsampled(4)).through(Conv2D(8, kernel: 1))
    }.after(.elideConcat, .elideUpsample)
    #expect(try remarks(several) == ["- 6: it reads views upsampled by several factors"])
    let alone = try traced(32, 4, 4) { $0.through(MaxPool(1)).upsampled(2).through(Conv2D(8, kernel: 1)) }
      .after(.elideUpsample)
    #expect(try remarks(alone) == ["- 2: all of its input is upsampled"])
  }

  /// Of the multiply-adds of the upsampled part a quarter is left, and each weight is read once.
  @Test func itsCost() throws {
    let whole = try neck { $0.through(Conv2D(8, kernel: 1)) }
    let split = try whole.after(.splitUpsampled)
    #expect(whole.cost.flops == 2 * 8 * 64 * 48)
    #expect(split.cost.flops == 2 * 8 * (64 * 16 + 16 * 32))
    #expect(split.cost.parameterBytes == whole.cost.parameterBytes)
  }

  @Test func tilesBeginAtWholePixelsOfTheStart() throws {
    for factor in [2, 3, 4] {
      let graph = try traced(32, 24, 12 * factor) { image in
        let x = MaxPool(1)(image)
        return concat(x, MaxPool(Size2D(factor))(x).upsampled(factor)).through(Conv2D(40, kernel: 1))
      }
      for target in Target.named {
        let plan = try LowerToPlan.plan(Pipeline.lowered(graph), prefix: "net", target: target)
        guard case .convDirect(let tile) = plan.steps.last(where: { $0.node != nil })?.kernel else {
          Issue.record("no direct convolution")
          continue
        }
        #expect(tile.columns % factor == 0 && (tile.rows == 1 || tile.rows % factor == 0), "\(target.name) \(tile)")
      }
    }
  }

  /// A 1×1 convolution of a concat is the sum of two of its parts, and commutes with nearest upsampling.
  @Test(arguments: [2, 3, 4], [16, 20, 24])
  func splitSumsAreTheWholeOnes(factor: Int, channels: Int) throws {
    func graph() throws -> GraphMaker {
      var maker = GraphMaker(3, 12, 24, batch: 2)
      let a = maker.part("a", channels, of: 3, kernel: 1)
      let small = try maker.add(.convolution(.init(kernel: Size2D(1), stride: Size2D(factor), a)), maker.input)
      let b = maker.part("b", 24, of: 3, kernel: 1)
      let large = try maker.add(.convolution(.init(kernel: 1, b)), maker.input)
      var parts = [
        maker.part("c", 20, of: channels + 48, kernel: 1, biased: true),
        maker.part("d", 8, of: channels + 48, kernel: 1),
      ]
      parts[1].batchNorm = maker.norm("d.bn", 8)
      var op = Op.Convolution(kernel: 1, stride: 1, padding: 0, dilation: 1, groups: 1, parts: parts)
      var norm = maker.norm("bn", 4 * 28)
      norm.enclosing = .init(scale: 2, order: .onnx)
      op.epilogue.stages = [.normalizeByPhase(norm), .activate(.silu)]
      let y = try maker.add(.convolution(op), .concat([large, small.upsampled(by: factor), large]))
      op.epilogue.stages = [.activate(.silu), .add]
      _ = try maker.add(.convolution(op), .concat([large, small.upsampled(by: factor), large]), y)
      return maker
    }
    let whole = try graph()
    let split = try whole.graph.after(.splitUpsampled)
    #expect(split.nodes.count == whole.graph.nodes.count + 2)
    let found = try whole.interpreter(.double, of: split).results(input: syntheticInput(split.input.shape))
    #expect(try distance(found.flatMap(\.elements), whole.run()) < 1e-12)
  }
}
