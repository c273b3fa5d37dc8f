import SPD
import SPDCompiler
import SPDRuntime
import Testing

@testable import spdc

/// Gradients of weights on small maps, whose pixels are packed side by side first.
@Suite struct PackedPixelsTests {
  /// Behind a space-to-depth, with a stride, with a bias and a partial block, and of a concat.
  private static let model = Model("pixels", input: .image(3, 8, 8), classes: 5) { image, classes in
    let x = image.through(Conv2D(64, kernel: 1), Conv2D(80, kernel: 1), SiLU())
    let deep = x.through(SpaceToDepth(), Conv2D(264, kernel: 1), SiLU())
    let left = deep.through(SpaceToDepth(), Conv2D(256, kernel: 1, bias: false), BatchNorm(), SiLU())
    let right = deep.through(Conv2D(272, kernel: 1, stride: 2), SiLU())
    return concat(left, right).through(Conv2D(256, kernel: 1), SiLU(), GlobalAveragePool(), Flatten(), Linear(classes))
  }

  @Test func gradientsAgreeWithTheInterpreter() async throws {
    let graph = try Self.model.graph(batch: 6)
    var options = Pipeline.Options()
    options.mode = .training
    let builder = try Builder(target: "native")
    let compiled = try builder.compile(graph, options: options)
    let packed = compiled.plan.steps.filter {
      if case .weightGradient(let tile) = $0.kernel { tile.packedColumns > 0 } else { false }
    }
    #expect(packed.count == 3)
    let network = try await builder.loadTrainable(compiled)
    let images = syntheticInput(graph.input.shape)
    let wanted = try Interpreter(
      graph: compiled.plan.graph, precision: .double, parameters: syntheticParameters(of: graph)
    ).trainingStep(input: images, labels: [0, 3, 4, 1, 2, 0])
    var first: [Float] = []
    for threads in 1...3 {
      let trainer = try network.trainer(threads: threads)
      try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
      let losses = try trainer.gradients(images, labels: [0, 3, 4, 1, 2, 0])
      #expect(abs(Double(losses[0]) - wanted.losses[0]) < 1e-5)
      try trainer.expectGradients(wanted.gradients, within: 2e-5)
      let gradients = Array(trainer[.gradients]!)
      if threads == 1 { first = gradients } else { #expect(gradients == first) }
    }
  }
}
