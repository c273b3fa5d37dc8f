import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import Testing

@testable import SPDDriver

/// A network with a composed loss, compiled, loaded and trained from Swift.
@Suite struct ComposedTrainingTests {
  /// Learns to reproduce the image; its result is a map, not a vector of classes.
  private static let model = Model(
    "own-loss", input: .image(3, 8, 8),
    loss: .mean { output, target in sqrt((output - target) * (output - target) + 1e-4) }
  ) { image, _ in image.through(Conv(16, kernel: 3), SpaceToDepth(), Conv(32, kernel: 1), Conv2D(3, kernel: 3)) }

  private static func compiled() async throws -> (graph: Graph, lowered: Graph, network: TrainableNetwork) {
    let graph = try model.graph(batch: 2)
    var options = Pipeline.Options()
    options.mode = .training
    let builder = try Builder(target: "native")
    let compiled = try builder.compile(graph, options: options)
    return (graph, compiled.plan.graph, try await builder.loadTrainable(compiled))
  }

  @Test func gradientsAgreeWithTheInterpreter() async throws {
    let (graph, lowered, network) = try await Self.compiled()
    #expect(network.maxTargets == 2 * 3 * 4 * 4)
    let images = syntheticInput(graph.input.shape)
    let expected = uniform("expected", network.maxTargets)
    let wanted = try Interpreter(graph: lowered, precision: .double, parameters: syntheticParameters(of: graph))
      .trainingStep(input: images, expected: expected.map { Double($0) })
    for threads in 1...2 {
      let trainer = try network.trainer(threads: threads)
      try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
      let losses = try trainer.gradients(images, .numbers(expected))
      #expect(abs(Double(losses[0]) - wanted.losses[0]) < 1e-6)
      try trainer.expectGradients(wanted.gradients, within: 1e-5)
    }
  }

  @Test func learns() async throws {
    let (graph, _, network) = try await Self.compiled()
    let trainer = try network.trainer(threads: 1, rule: .adam)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    let images = syntheticInput(graph.input.shape)
    let expected = uniform("expected", network.maxTargets)
    var losses: [Float] = []
    for step in 1...60 {
      var update = Update(rule: .adam, learningRate: 0.01, momentum: 0.9, weightDecay: 0)
      update.step = step
      losses.append(try trainer.step(images, .numbers(expected), update)[0])
    }
    #expect(losses[59] < 0.2 * losses[0], "\(losses)")
  }

  @Test func asManyNumbersAsTheResultHas() async throws {
    let (graph, _, network) = try await Self.compiled()
    let trainer = try network.trainer(threads: 1)
    let images = syntheticInput(graph.input.shape)
    #expect(throws: RuntimeError.self) { try trainer.gradients(images, .numbers([1, 2, 3])) }
    // A map has no labels.
    #expect(throws: RuntimeError.self) { try trainer.gradients(images, .labels([0, 0])) }
  }
}
