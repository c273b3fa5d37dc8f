import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct MergeSiblingConvolutionsTests {
  /// A C3 without its end: two 1×1 convolutions of one tensor, a 3×3 behind the first.
  private func siblings(_ first: Int, _ second: Int) throws -> Graph {
    try traced(64, 4, 4) { image in
      let x = MaxPool(1)(image)
      let a = x.through(Conv2D(first, kernel: 1, bias: false), SiLU())
      let b = x.through(Conv2D(second, kernel: 1, bias: false), SiLU())
      return concat(Conv2D(first, kernel: 3, bias: false)(a), b)
    }.after(.fuseActivation)
  }

  /// Each has a slope for each of its own channels.
  @Test func learnedActivationsStayApart() throws {
    let graph = try traced(64, 4, 4) { image in
      let x = MaxPool(1)(image)
      let a = x.through(Conv2D(32, kernel: 1, bias: false), PReLU(perChannel: true))
      return concat(a, x.through(Conv2D(32, kernel: 1, bias: false), PReLU(perChannel: true)))
    }.after(.fuseActivation)
    var shared = graph
    for index in shared.nodes.indices {
      guard case .convolution(var op) = shared.nodes[index].op, index > 2 else { continue }
      op.epilogue.stages = [.activate(.prelu("2.weight"))]
      shared.nodes[index].op = .convolution(op)
    }
    for graph in [graph, shared] { #expect(try graph.after(.mergeSiblingConvolutions).brief == graph.brief) }
  }

  @Test func theInputIsReadOnce() throws {
    var graph = try siblings(32, 32)
    #expect(
      graph.brief == """
        %0 = input()  64×4×4
        %1 = max_pool(%0) k=1  64×4×4
        %3 = conv2d(%1) k=1 64→32 +silu  32×4×4
        %5 = conv2d(%1) k=1 64→32 +silu  32×4×4
        %6 = conv2d(%3) k=3 p=1 32→32  32×4×4
        %7 = concat(%6, %5)  64×4×4
        return %7

        """)
    #expect(try graph.apply(.mergeSiblingConvolutions) == ["3: merged with 1, which reads the same tensor"])
    #expect(
      graph.brief == """
        %0 = input()  64×4×4
        %1 = max_pool(%0) k=1  64×4×4
        %3 = conv2d(%1) k=1 64→32+32 +silu  64×4×4
        %6 = conv2d(%3{0..<32}) k=3 p=1 32→32  32×4×4
        %7 = concat(%6, %3{32..<64})  64×4×4
        return %7

        """)
  }

  @Test func slicesBeginAtABlock() throws {
    #expect(
      try siblings(24, 40).remarks(.mergeSiblingConvolutions) == [
        "- 3: its sibling 1 ends at channel 24, which is no multiple of 16"
      ])
  }

  /// One part may end inside of a block, if it is the last; the result still takes the place of the first.
  @Test func aPartialBlockGoesLast() throws {
    var graph = try siblings(24, 32)
    #expect(try graph.apply(.mergeSiblingConvolutions) == ["3: merged with 1, which reads the same tensor"])
    #expect(
      graph.brief == """
        %0 = input()  64×4×4
        %1 = max_pool(%0) k=1  64×4×4
        %3 = conv2d(%1) k=1 64→32+24 +silu  56×4×4
        %6 = conv2d(%3{32..<56}) k=3 p=1 24→24  24×4×4
        %7 = concat(%6, %3{0..<32})  56×4×4
        return %7

        """)
    let three = try traced(16, 4, 4) { image in
      let x = MaxPool(1)(image)
      return [8, 24, 16].map { ReLU()(Conv2D($0, kernel: 1)(x)) }
    }
    #expect(
      try three.remarks(.mergeSiblingConvolutions) == [
        "- 3: its sibling 1 ends at channel 24, which is no multiple of 16",
        "5: merged with 1, which reads the same tensor",
      ])
  }

  @Test func threeOfAKind() throws {
    let graph = try traced(16, 4, 4) { image in
      let x = MaxPool(1)(image)
      let three = [16, 32, 8].map { Conv2D($0, kernel: 1, bias: false)(x) }
      return three.map { ReLU()($0) }
    }
    #expect(
      try graph.after(.mergeSiblingConvolutions).brief == """
        %0 = input()  16×4×4
        %1 = max_pool(%0) k=1  16×4×4
        %2 = conv2d(%1) k=1 16→16+32+8  56×4×4
        %5 = relu(%2{0..<16})  16×4×4
        %6 = relu(%2{16..<48})  32×4×4
        %7 = relu(%2{48..<56})  8×4×4
        return %5, %6, %7

        """)
  }

  /// Pairs that look alike but are none.
  @Test func whatDiffersStaysApart() throws {
    func pair(_ a: Conv2D, _ b: Conv2D, _ second: @escaping @Sendable (Tensor) -> Tensor = { $0 }) throws -> Graph {
      nonisolated(unsafe) let layers = (a, b)
      return try traced(32, 4, 4) { image in
        let x = MaxPool(1)(image)
        return [ReLU()(layers.0(x)), second(layers.1(x))]
      }
    }
    let plain = Conv2D(16, kernel: 3)
    for other in [
      Conv2D(16, kernel: 1), Conv2D(16, kernel: 3, stride: 2), Conv2D(16, kernel: 3, padding: 2),
      Conv2D(16, kernel: 3, dilation: 2),
    ] {
      let graph = try pair(plain, other) { SiLU()($0) }
      #expect(try graph.after(.mergeSiblingConvolutions) == graph)
    }
    let groups = try pair(Conv2D(16, kernel: 3, groups: 2), Conv2D(16, kernel: 3, groups: 2)) { SiLU()($0) }
    #expect(try groups.after(.mergeSiblingConvolutions) == groups)
    let returned = try pair(plain, plain)
    #expect(try returned.after(.mergeSiblingConvolutions) == returned)
    let activated = try pair(plain, plain) { SiLU()($0) }.after(.fuseActivation)
    #expect(try activated.after(.mergeSiblingConvolutions) == activated)
    let residual = try traced(32, 4, 4) { image in
      let x = MaxPool(1)(image)
      return [ReLU()(Conv2D(32, kernel: 1)(x) + x), ReLU()(Conv2D(32, kernel: 1)(x))]
    }.after(.fuseResidual)
    #expect(try residual.after(.mergeSiblingConvolutions) == residual)
  }

  @Test func normsStayWithTheirParts() throws {
    let graph = try traced(16, 4, 4) { image in
      let x = MaxPool(1)(image)
      let a = x.through(Conv2D(16, kernel: 1, bias: false), BatchNorm())
      return [ReLU()(a), SiLU()(Conv2D(16, kernel: 1)(x))]
    }
    let merged = try graph.after(.foldBatchNorm, .mergeSiblingConvolutions)
    guard case .convolution(let op) = merged.nodes[2].op else {
      Issue.record("no convolution")
      return
    }
    #expect(op.parts.map(\.outputs) == [16, 16])
    #expect(op.parts.map { $0.batchNorm?.weight } == ["2.weight", nil])
  }
}
