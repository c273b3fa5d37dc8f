import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct LowerViewsTests {
  @Test func whatIsLeftIsCopied() throws {
    var graph = try traced(16, 4, 4) { $0.through(SpaceToDepth(), MaxPool(3, stride: 1, padding: 1)) }
    #expect(
      graph.brief == """
        %0 = input()  16×4×4
        %1 = space_to_depth(%0) scale=2 order=paper  64×2×2
        %2 = max_pool(%1) k=3 p=1  64×2×2
        return %2

        """)
    #expect(try graph.apply(.lowerViews) == ["0: space_to_depth is copied"])
    #expect(
      graph.brief == """
        %0 = input()  16×4×4
        %1 = copy(%0[::2,::2] ++ %0[1::2,::2] ++ %0[::2,1::2] ++ %0[1::2,1::2])  64×2×2
        %2 = max_pool(%1) k=3 p=1  64×2×2
        return %2

        """)
  }

  @Test func everyKindOfReindexing() throws {
    let graph = try traced(16, 4, 4) { image in
      concat(image.channels(0..<8), image.channels(3..<9)).upsampled(2)
    }
    #expect(
      try graph.remarks(.lowerViews) == [
        "slice: slice is copied", "slice: slice is copied", "0: concat is copied", "1: upsample is copied",
      ])
    #expect(
      try graph.after(.lowerViews).brief == """
        %0 = input()  16×4×4
        %1 = copy(%0{0..<8})  8×4×4
        %2 = copy(%0{3..<9})  6×4×4
        %3 = copy(%1 ++ %2)  14×4×4
        %4 = copy(%3^2)  14×8×8
        return %4

        """)
  }

  @Test func aViewThatItsReaderCannotReadIsCopied() throws {
    var maker = GraphMaker(16, 4, 4)
    let x = try maker.add(.activation(.relu), maker.input)
    _ = try maker.add(.activation(.silu), x.upsampled(by: 2))
    #expect(
      try maker.graph.remarks(.lowerViews) == [
        "layer: the image is copied into blocks, because relu does not read the caller's image",
        "layer: a view is copied, because silu reads one tensor without reindexing",
      ])
    #expect(
      try maker.graph.after(.lowerViews).brief == """
        %0 = input()  16×4×4
        %3 = copy(%0)  16×4×4
        %1 = relu(%3)  16×4×4
        %4 = copy(%1^2)  16×8×8
        %2 = silu(%4)  16×8×8
        return %2

        """)
  }

  /// A reindexing of a view that only a copy in front of it makes expressible.
  @Test func aReindexingThatNoViewExpresses() throws {
    let graph = try traced(16, 4, 4) { $0.through(MaxPool(1)).upsampled(3).through(SpaceToDepth(), MaxPool(2)) }
    let lowered = try Pipeline.lowered(graph)
    #expect(
      lowered.brief == """
        %0 = input()  16×4×4
        %5 = copy(%0)  16×4×4
        %1 = max_pool(%5) k=1  16×4×4
        %6 = copy(%1^3)  16×12×12
        %3 = copy(%6[::2,::2] ++ %6[1::2,::2] ++ %6[::2,1::2] ++ %6[1::2,1::2])  64×6×6
        %4 = max_pool(%3) k=2 s=2  64×3×3
        return %4

        """)
    #expect(
      try graph.after(.elideUpsample).remarks(.lowerViews).suffix(2) == [
        "2: a view is copied, because space_to_depth reads one tensor without reindexing",
        "2: space_to_depth is copied",
      ])
  }

  @Test func whatKernelsReadStays() throws {
    let graph = try traced(3, 4, 4) { $0.through(SpaceToDepth(), Conv2D(16, kernel: 3), ReLU(), MaxPool(2)) }
      .after(.fuseSpaceToDepth, .removeUnread)
    #expect(try graph.after(.lowerViews) == graph)
  }
}
