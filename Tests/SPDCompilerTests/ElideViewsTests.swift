import TestSupport
import Testing

@testable import SPD
@testable import SPDCompiler

struct ElideViewsTests {
  @Test func aSlice() throws {
    var graph = try traced(32, 4, 4) { $0.through(MaxPool(1)).channels(16..<32).through(Conv2D(8, kernel: 1)) }
    #expect(
      graph.brief == """
        %0 = input()  32×4×4
        %1 = max_pool(%0) k=1  32×4×4
        %2 = slice(%1) 16..<32  16×4×4
        %3 = conv2d(%2) k=1 16→8  8×4×4
        return %3

        """)
    #expect(try graph.apply(.elideSlice) == ["slice: read in place by conv2d 1"])
    #expect(
      try graph.after(.removeUnread).brief == """
        %0 = input()  32×4×4
        %1 = max_pool(%0) k=1  32×4×4
        %3 = conv2d(%1{16..<32}) k=1 16→8  8×4×4
        return %3

        """)
  }

  @Test func aConcat() throws {
    var graph = try traced(48, 4, 4) { image in
      let a = MaxPool(1)(image).channels(0..<32)
      return concat(ReLU()(a), SiLU()(image.channels(32..<48))).through(Conv2D(8, kernel: 1))
    }
    #expect(try graph.apply(.elideConcat) == ["3: read in place by conv2d 4"])
    #expect(
      try graph.after(.removeUnread).brief == """
        %0 = input()  48×4×4
        %1 = max_pool(%0) k=1  48×4×4
        %2 = slice(%1) 0..<32  32×4×4
        %3 = relu(%2)  32×4×4
        %4 = slice(%0) 32..<48  16×4×4
        %5 = silu(%4)  16×4×4
        %7 = conv2d(%3 ++ %5) k=1 48→8  8×4×4
        return %7

        """)
  }

  @Test func anUpsampling() throws {
    var graph = try traced(32, 4, 4) { $0.through(MaxPool(1)).upsampled(2).through(Conv2D(8, kernel: 1)) }
    #expect(try graph.apply(.elideUpsample) == ["1: read in place by conv2d 2"])
    #expect(
      try graph.after(.removeUnread).brief == """
        %0 = input()  32×4×4
        %1 = max_pool(%0) k=1  32×4×4
        %3 = conv2d(%1^2) k=1 32→8  8×8×8
        return %3

        """)
  }

  @Test func aSpaceToDepth() throws {
    var graph = try traced(96, 4, 4) { $0.through(MaxPool(1), SpaceToDepth(), Conv2D(48, kernel: 1)) }
    #expect(try graph.apply(.fuseSpaceToDepth) == ["1: read in place by conv2d 2"])
    #expect(
      try graph.after(.removeUnread).brief == """
        %0 = input()  96×4×4
        %1 = max_pool(%0) k=1  96×4×4
        %3 = conv2d(%1[::2,::2] ++ %1[1::2,::2] ++ %1[::2,1::2] ++ %1[1::2,1::2]) k=1 384→48  48×2×2
        return %3

        """)
  }

  @Test func aSpaceToDepthOfEveryOrder() throws {
    func operand(_ order: Op.SpaceToDepth.Order) throws -> String {
      let graph = try traced(16, 4, 4) {
        $0.through(MaxPool(1), SpaceToDepth(order: order), Conv2D(8, kernel: 1))
      }.after(.fuseSpaceToDepth)
      return graph.text(of: graph.nodes[3].inputs[0])
    }
    #expect(try operand(.onnx) == "%1[::2,::2] ++ %1[::2,1::2] ++ %1[1::2,::2] ++ %1[1::2,1::2]")
    #expect(
      try operand(.pixelUnshuffle)
        == "%1[::2,::2]→0::4 ++ %1[::2,1::2]→1::4 ++ %1[1::2,::2]→2::4 ++ %1[1::2,1::2]→3::4")
  }

  @Test func ofTheImage() throws {
    let graph = try traced(3, 4, 4) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3)) }
    #expect(
      try graph.after(.fuseSpaceToDepth, .removeUnread).brief == """
        %0 = input()  3×4×4
        %2 = conv2d(%0[::2,::2] ++ %0[1::2,::2] ++ %0[::2,1::2] ++ %0[1::2,1::2]) k=3 p=1 12→8  8×2×2
        return %2

        """)
  }

  @Test func severalReaders() throws {
    let graph = try traced(16, 4, 4) { image in
      let deep = image.through(MaxPool(1), SpaceToDepth())
      return [Conv2D(8, kernel: 1)(deep), Conv2D(8, kernel: 3)(deep), ReLU()(deep)]
    }
    #expect(
      try graph.remarks(.fuseSpaceToDepth) == [
        "1: read in place by conv2d 2", "1: read in place by conv2d 3",
        "- 1: relu 4 cannot read it in place: relu reads one tensor without reindexing",
      ])
  }

  /// The neck of YOLOv5-SPD: a space-to-depth and an upsampled tensor in one concat.
  @Test func allOfThemTogether() throws {
    let graph = try traced(16, 8, 8) { image in
      let x = MaxPool(1)(image)
      let small = MaxPool(4)(image)
      return concat(SpaceToDepth()(x), small.upsampled(2)).channels(32..<80).through(Conv2D(8, kernel: 1))
    }
    let lowered = try graph.after(.elideSlice, .elideConcat, .elideUpsample, .fuseSpaceToDepth, .removeUnread)
    #expect(
      lowered.brief == """
        %0 = input()  16×8×8
        %1 = max_pool(%0) k=1  16×8×8
        %2 = max_pool(%0) k=4 s=4  16×2×2
        %7 = conv2d(%1[::2,1::2] ++ %1[1::2,1::2] ++ %2^2) k=1 48→8  8×4×4
        return %7

        """)
  }

  /// A reindexing of one of its own kind is looked through as well.
  @Test func nested() throws {
    func operand(_ body: @escaping @Sendable (Tensor) -> Tensor) throws -> String {
      let graph = try traced(32, 8, 8) { body(MaxPool(1)($0)).through(Conv2D(8, kernel: 1)) }
        .after(.elideSlice, .elideConcat, .elideUpsample, .fuseSpaceToDepth, .removeUnread)
      #expect(graph.nodes.count == 3)
      return graph.text(of: graph.nodes.last!.inputs[0])
    }
    #expect(try operand { $0.channels(16..<32).channels(0..<8) } == "%1{16..<24}")
    #expect(try operand { concat(concat($0, $0.channels(0..<16)), $0) } == "%1 ++ %1{0..<16} ++ %1")
    #expect(try operand { $0.upsampled(2).upsampled(2) } == "%1^4")
    let deep = try operand { $0.channels(0..<16).through(SpaceToDepth(), SpaceToDepth()) }
    #expect(deep.split(separator: " ++ ").count == 16)
    #expect(deep.hasPrefix("%1{0..<16}[::4,::4] ++ %1{0..<16}[1::4,::4] ++ %1{0..<16}[::4,1::4]"))
    #expect(try operand { $0.upsampled(2).through(SpaceToDepth()) } == "%1 ++ %1 ++ %1 ++ %1")
  }

  @Test func whatTheNetworkReturnsIsAView() throws {
    let graph = try traced(16, 4, 4) { $0.through(MaxPool(1), SpaceToDepth(order: .pixelUnshuffle)) }
    #expect(
      try graph.after(.fuseSpaceToDepth, .removeUnread).brief == """
        %0 = input()  16×4×4
        %1 = max_pool(%0) k=1  16×4×4
        return %1[::2,::2]→0::4 ++ %1[::2,1::2]→1::4 ++ %1[1::2,::2]→2::4 ++ %1[1::2,1::2]→3::4

        """)
  }

  @Test func noAffineViewExpressesIt() throws {
    // Row y of the result is row ⌊(2y + r)/3⌋ of the source.
    let graph = try traced(16, 4, 4) {
      $0.through(MaxPool(1)).upsampled(3).through(SpaceToDepth(), Conv2D(8, kernel: 1))
    }
    #expect(try graph.after(.elideUpsample).remarks(.fuseSpaceToDepth) == ["- 2: no affine view expresses it"])
  }

  @Test func aPartThatNoViewExpresses() throws {
    // PixelUnshuffle interleaves the phases, so that a slice cuts through all of them.
    let graph = try traced(16, 4, 4) {
      $0.through(MaxPool(1), SpaceToDepth(order: .pixelUnshuffle)).channels(16..<32).through(Conv2D(8, kernel: 1))
    }
    #expect(
      try graph.after(.elideSlice).remarks(.fuseSpaceToDepth) == ["- 1: 2 reads a part that no view expresses"])
  }
}
