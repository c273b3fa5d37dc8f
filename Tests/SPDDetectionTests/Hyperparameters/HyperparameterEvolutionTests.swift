import SPD
import SPDData
import Testing

@testable import SPDDetection

@Suite struct HyperparameterEvolutionTests {
  private func children(_ count: Int, of parent: DetectionHyperparameters) -> [DetectionHyperparameters] {
    var random = SplitMix64(.hyperparameters, 1)
    return (0..<count).map { _ in HyperparameterEvolution.mutated(parent, &random) }
  }

  @Test func mutationsStayInTheirRanges() {
    let parent = DetectionHyperparameters.scratch
    let children = children(500, of: parent)
    for field in DetectionHyperparameters.fields {
      guard let path = field.path else { continue }
      let values = children.map { $0[keyPath: path] }
      let isSearched = field.mutationGain > 0 && parent[keyPath: path] > 0
      #expect((Set(values).count > 1) == isSearched, "\(field.key)")
      if isSearched { #expect(values.allSatisfy { field.searchRange.contains($0) }, "\(field.key)") }
    }
    #expect(children.allSatisfy { $0 != parent && $0.anchors == nil })
    // A fifth of the values stay as they are; the gain scales the others.
    func changes(_ path: KeyPath<DetectionHyperparameters, Double>) -> [Double] {
      children.map { abs($0[keyPath: path] / parent[keyPath: path] - 1) }
    }
    let box = changes(\.box)
    #expect((60...140).contains(box.count { $0 == 0 }))
    #expect((0.05...0.11).contains(box.reduce(0, +) / 500))
    // Momentum has a gain of 0.3 and is at most 0.98.
    #expect(changes(\.momentum).reduce(0, +) < 0.5 * box.reduce(0, +))
  }

  @Test func parentsAreAmongTheBest() {
    let earlier = (1...7).map { number in
      var hyperparameters = DetectionHyperparameters.scratch
      // Not searched, so that a child shows whose it is.
      hyperparameters.iouT = Double(number) / 10
      return (hyperparameters: hyperparameters, fitness: [0.1, 0.5, 0.3, 0, 0.2, 0.5, 0.1][number - 1])
    }
    func parents(_ seed: UInt64) -> [Double] {
      (8..<308).map { HyperparameterEvolution.next(generation: $0, seed: seed, after: earlier).iouT }
    }
    let found = parents(0)
    // Generation 1 is fifth, before 7 with the same fitness, and its weight is almost 0.
    #expect(Set(found) == [0.2, 0.3, 0.5, 0.6])
    // Weights 0.4, 0.4, 0.2, 0.1.
    let counts = [0.2, 0.6, 0.3, 0.5].map { parent in found.count { $0 == parent } }
    #expect(counts[0] > 80 && counts[1] > 80 && counts[2] > counts[3])
    #expect(parents(0) == found && parents(1) != found)
    let one = HyperparameterEvolution.next(generation: 2, seed: 0, after: [earlier[0]])
    #expect(one.iouT == 0.1)
  }
}
