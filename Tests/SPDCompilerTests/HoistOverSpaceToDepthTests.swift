import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct HoistOverSpaceToDepthTests {
  @Test func normAndActivationMoveToTheFront() throws {
    var graph = try traced(3, 8, 8) {
      $0.through(Conv2D(64, kernel: 3, bias: false), SpaceToDepth(), BatchNorm(), ReLU())
    }
    #expect(
      graph.brief == """
        %0 = input()  3×8×8
        %1 = conv2d(%0) k=3 p=1 3→64  64×8×8
        %2 = space_to_depth(%1) scale=2 order=paper  256×4×4
        %3 = batch_norm(%2)  256×4×4
        %4 = relu(%3)  256×4×4
        return %4

        """)
    #expect(
      try graph.apply(.hoistOverSpaceToDepth) == [
        "2: batch_norm moved before the space-to-depth", "3: relu moved before the space-to-depth",
      ])
    #expect(
      graph.brief == """
        %0 = input()  3×8×8
        %1 = conv2d(%0) k=3 p=1 3→64  64×8×8
        %2 = batch_norm(%1) enclosing=scale=2 order=paper  64×8×8
        %3 = relu(%2)  64×8×8
        %4 = space_to_depth(%3) scale=2 order=paper  256×4×4
        return %4

        """)
  }

  @Test func phasesAreToldApartForScaleTwoOnly() throws {
    let graph = try traced(3, 6, 6) { image in
      let fires = image.through(Conv2D(4, kernel: 1), SpaceToDepth(), ReLU(), SiLU())
      let stays = image.through(Conv2D(4, kernel: 1), SpaceToDepth(scale: 3), BatchNorm())
      return [fires, stays]
    }
    // Once, however often the pass goes over the graph.
    #expect(
      try graph.remarks(.hoistOverSpaceToDepth).sorted() == [
        "- 6: phases are told apart for scale 2, not 3", "2: relu moved before the space-to-depth",
        "3: silu moved before the space-to-depth",
      ])
  }

  @Test func anActivationMovesOverAnyScale() throws {
    let graph = try traced(3, 6, 6) { $0.through(Conv2D(4, kernel: 1), SpaceToDepth(scale: 3), Hardswish()) }
    #expect(
      try graph.after(.hoistOverSpaceToDepth).nodes.map(\.op.name) == [
        "input", "conv2d", "hardswish", "space_to_depth",
      ])
  }

  @Test func nothingMovesIfOthersReadTheSpaceToDepth() throws {
    let shared = try traced(3, 4, 4) { image in
      let deep = SpaceToDepth()(image)
      return [ReLU()(deep), Conv2D(4, kernel: 1)(deep)]
    }
    #expect(try shared.after(.hoistOverSpaceToDepth) == shared)
    let returned = try traced(3, 4, 4) { image in
      let deep = SpaceToDepth()(image)
      return [deep, ReLU()(deep)]
    }
    #expect(try returned.after(.hoistOverSpaceToDepth) == returned)
  }

  @Test func overTheLastOfTwo() throws {
    let graph = try traced(4, 8, 8) {
      $0.through(Conv2D(4, kernel: 1), SpaceToDepth(), SpaceToDepth(), BatchNorm(), ReLU())
    }
    // A normalisation by phase moves no further, and what follows it stays behind it.
    #expect(
      try graph.after(.hoistOverSpaceToDepth).nodes.dropFirst(2).map(\.op.name) == [
        "space_to_depth", "batch_norm", "relu", "space_to_depth",
      ])
  }
}
