import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct EliminateDeadCodeTests {
  private func graph() throws -> Graph {
    try traced(3, 4, 4) { image in
      _ = Conv2D(8, kernel: 3, bias: false)(image)
      return Conv2D(8, kernel: 1, bias: false)(image)
    }
  }

  @Test func removesWhatNothingReads() throws {
    var graph = try graph()
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %1 = conv2d(%0) k=3 p=1 3→8  8×4×4
        %2 = conv2d(%0) k=1 3→8  8×4×4
        return %2

        """)
    #expect(try graph.apply(.eliminateDeadCode) == ["0: nothing reads this conv2d"])
    #expect(
      graph.brief == """
        %0 = input()  3×4×4
        %2 = conv2d(%0) k=1 3→8  8×4×4
        return %2

        """)
  }

  @Test func removesWhatOnlyDeadLayersRead() throws {
    let graph = try traced(3, 4, 4) { image in
      _ = image.through(Conv2D(8, kernel: 3), ReLU())
      return ReLU()(image)
    }
    #expect(try graph.remarks(.eliminateDeadCode) == ["0: nothing reads this conv2d", "1: nothing reads this relu"])
    #expect(try graph.after(.eliminateDeadCode).nodes.map(\.id) == [0, 3])
  }

  @Test func keepsTheInputAndEveryOutput() throws {
    let graph = try traced(3, 4, 4) { image in
      let other = image.through(Flatten(), Linear(2))
      _ = ReLU()(other)
      return [other]
    }
    #expect(try graph.after(.eliminateDeadCode).nodes.map(\.id) == [0, 1, 2])
  }

  @Test func leavesParametersForTheCheckpoint() throws {
    #expect(try graph().after(.eliminateDeadCode).parameters.map(\.name) == ["0.weight", "1.weight"])
  }

  @Test func removeUnreadDoesTheSameWithoutRemark() throws {
    #expect(try graph().remarks(.removeUnread).isEmpty)
    #expect(try graph().after(.removeUnread) == graph().after(.eliminateDeadCode))
  }
}
