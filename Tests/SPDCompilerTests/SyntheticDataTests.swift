import SPD
import SPDCompiler
import SPDReference
import Testing

struct SyntheticDataTests {
  @Test func uniformFollowsTheFormula() {
    #expect(fnv1a("input".utf8) == 0x1ebb_ae8f_5810_b65b)
    #expect(uniform("input", 4) == [0.09781831502914429, 0.6523603796958923, 0.20362424850463867, 0.2744446396827698])
    #expect(uniform("input", 1000).allSatisfy { (0..<1).contains($0) })
    #expect(uniform("other", 4) != uniform("input", 4))
    #expect(uniform("input", 0).isEmpty)
  }

  @Test func theInputIsOneStreamForAllImages() {
    let shape = Shape(batch: 2, channels: 1, height: 1, width: 2)
    #expect(syntheticInput(shape) == uniform("input", 4))
  }

  @Test func parametersFollowTheirRoles() {
    func values(_ shape: [Int], _ role: Parameter.Role) -> [Float] {
      syntheticParameter(Parameter(name: "input", shape: shape, role: role))
    }
    let u = uniform("input", 2).map { Double($0) }
    #expect(values([2], .normWeight) == u.map { Float(0.5 + $0) })
    #expect(values([2], .runningVariance) == u.map { Float(0.5 + $0) })
    #expect(values([2], .normBias) == u.map { Float(0.4 * $0 - 0.2) })
    #expect(values([2], .runningMean) == u.map { Float(0.4 * $0 - 0.2) })
    #expect(values([2], .bias) == u.map { Float(0.2 * $0 - 0.1) })
    // Twelve elements per filter: √(3/12) = ½.
    let weights = u.map { Float((2 * $0 - 1) * 0.6) }
    #expect(Array(values([2, 3, 2, 2], .weight).prefix(2)) == weights)
    #expect(values([2, 12], .weight) == values([2, 3, 2, 2], .weight))
    #expect(values([], .batchesTracked) == [0])
    #expect(values([1, 1, 2], .constant([1.25, 3])) == [1.25, 3])
  }

  @Test func parametersOfAGraphAreKnownByName() throws {
    let model = Model("m", input: .image(3, 2, 2)) { image, _ in image.through(Conv2D(4, kernel: 1)) }
    let graph = try model.graph()
    let parameters = syntheticParameters(of: graph)
    #expect(try parameters("0.bias") == uniform("0.bias", 4).map { Float(0.2 * Double($0) - 0.1) })
    #expect(throws: InterpreterError("the graph lists no parameter 1.bias")) { try parameters("1.bias") }
  }
}
