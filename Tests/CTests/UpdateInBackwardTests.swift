import SPD
import SPDCompiler
import SPDRuntime
import Testing

@testable import SPDDriver

/// Updating each parameter as soon as its gradient is ready equals one sweep over all of them, to the last bit.
@Suite struct UpdateInBackwardTests {
  private static let apart = Task { try await compile(inBackward: false) }
  private static let together = Task { try await compile(inBackward: true) }

  static func compiled(inBackward: Bool) async throws -> (graph: Graph, network: TrainableNetwork) {
    try await (inBackward ? together : apart).value
  }

  private static func compile(inBackward: Bool) async throws -> (graph: Graph, network: TrainableNetwork) {
    let model = Model("updates", input: .image(3, 16, 16), classes: 5) { image, classes in
      // What nothing reads has no gradient, and no weight decay either.
      _ = image.through(Conv2D(4, kernel: 1))
      return image.through(
        Conv(20, kernel: 3), SpaceToDepth(), Conv(32, kernel: 1), C3(32, repeats: 1), GlobalAveragePool(), Flatten(),
        Linear(classes))
    }
    let graph = try model.graph(batch: 3)
    var options = Pipeline.Options()
    options.mode = .training
    options.updatesInBackward = inBackward
    let builder = try Builder(target: "native")
    let compiled = try builder.compile(graph, options: options)
    #expect(compiled.code.source.contains("update_parameter(update") == inBackward)
    return (graph, try await builder.loadTrainable(compiled))
  }

  private static func update(_ rule: Update.Rule, step: Int) -> Update {
    var update = Update(rule: rule, learningRate: 0.01, momentum: 0.9, weightDecay: 0.01)
    update.biases.weightDecay = 0
    update.scales.learningRate = 0.02
    update.nesterov = true
    update.step = step
    update.gradientScale = 0.5
    update.averageDecay = 0.75
    return update
  }

  /// All arrays of the state after three steps, and the losses.
  private static func trained(_ network: TrainableNetwork, _ graph: Graph, _ rule: Update.Rule, threads: Int) throws
    -> [[UInt32]]
  {
    let trainer = try network.trainer(threads: threads, rule: rule, averages: true)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    var losses: [Float] = []
    for step in 1...3 {
      losses += try trainer.step(
        syntheticInput(graph.input.shape), .labels([0, 3, 4], smoothing: 0.1), update(rule, step: step))
    }
    let arrays = [Trainer.Array.values, .momentum, .secondMoments, .average]
    return ([losses] + arrays.compactMap { trainer[$0].map { Array($0) } }).map { $0.map(\.bitPattern) }
  }

  @Test(arguments: [Update.Rule.sgd, .adam, .adamW])
  func stateIsThatOfASweep(rule: Update.Rule) async throws {
    let (graph, apart) = try await Self.compiled(inBackward: false)
    let (_, together) = try await Self.compiled(inBackward: true)
    #expect(!apart.updatesInBackward && together.updatesInBackward)
    let wanted = try Self.trained(apart, graph, rule, threads: 1)
    #expect(wanted.count == (rule == .sgd ? 4 : 5))
    for threads in 1...3 { #expect(try Self.trained(together, graph, rule, threads: threads) == wanted) }
  }

  @Test func thereAreNoGradientsToLookAtOrToClip() async throws {
    let (graph, network) = try await Self.compiled(inBackward: true)
    let trainer = try network.trainer(threads: 1, accumulates: true)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    let images = syntheticInput(graph.input.shape)
    func isRefused(_ error: any Error) -> Bool { "\(error)".contains("(--update-in-backward): it keeps no gradients") }
    #expect { try trainer.gradients(images, .labels([0, 1, 2])) } throws: { isRefused($0) }
    #expect { try trainer.accumulate(begins: true) } throws: { isRefused($0) }
    #expect { try trainer.update(Self.update(.sgd, step: 1)) } throws: { isRefused($0) }
    var clipping = Self.update(.sgd, step: 1)
    clipping.maxNorm = 1
    #expect { try trainer.step(images, .labels([0, 1, 2]), clipping) } throws: { isRefused($0) }
    #expect(trainer[.gradients] == nil)
  }

  @Test(arguments: [false, true])
  func aLossThatIsNoNumberUpdatesNothing(inBackward: Bool) async throws {
    let (graph, network) = try await Self.compiled(inBackward: inBackward)
    let trainer = try network.trainer(threads: 2, averages: true)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    let parameters = network.parameters.filter { $0.group != .constant }
    func weights() -> [[Float]] {
      [Trainer.Array.values, .momentum, .average].flatMap { array in
        parameters.map { trainer.values(of: $0.name, in: array)! }
      }
    }
    let before = weights()
    var images = syntheticInput(graph.input.shape)
    images[5] = .nan
    let losses = try trainer.step(images, .labels([0, 1, 2]), Self.update(.sgd, step: 1))
    #expect(losses[0].isNaN)
    #expect(weights() == before)
  }
}
