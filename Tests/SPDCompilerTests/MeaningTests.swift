import Models
import SPD
import TestSupport
import Testing

@testable import SPDCompiler

/// The results of a network are the same whichever passes run.
struct MeaningTests {
  @Test(arguments: SmallNetwork.all)
  func everyChoiceOfPassesGivesTheSame(network: SmallNetwork) throws {
    let graph = try network.graph()
    let expected = try network.results(of: graph)
    var seen: [Graph] = [graph]
    for choice in Choice.all {
      let lowered = try choice.apply(to: graph)
      // Many choices make no difference to a small network.
      guard !seen.contains(lowered) else { continue }
      seen.append(lowered)
      let found = try network.results(of: lowered)
      try #require(found.count == expected.count)
      for (a, b) in zip(found, expected) {
        #expect(a.shape == b.shape)
        let size = b.elements.map(abs).max() ?? 0
        #expect(distance(a.elements, b.elements) <= 1e-9 * max(size, 1), "\(network) with \(choice):\n\(lowered.text)")
      }
    }
    #expect(seen.count > 1)
  }

  /// Which passes run.
  struct Choice: CustomStringConvertible {
    var disabled: Set<String>
    var unfused = false
    var mode = Mode.inference

    var description: String {
      unfused ? "no fusion" : "\(mode) without [\(disabled.sorted().joined(separator: ", "))]"
    }

    func apply(to graph: Graph) throws -> Graph {
      try Pipeline.lowered(graph, unfused: unfused, disabled: disabled, mode: mode)
    }

    static let all: [Choice] = {
      var choices = Choices(seed: 2024)
      let none = [Choice(disabled: []), Choice(disabled: [], unfused: true)]
      let single = Pipeline.optional.map { Choice(disabled: [$0]) }
      let random = (0..<12).map { _ in Choice(disabled: choices.subset(Pipeline.optional)) }
      return none + single + random
    }()
  }
}
