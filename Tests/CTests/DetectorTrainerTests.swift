import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import Testing

@testable import SPDDriver

/// A detector of any number of levels, compiled, loaded and trained from Swift.
@Suite struct DetectorTrainerTests {
  /// Levels of stride 8 to 64 in an image of 64: one more than YOLOv5's.
  private static let model = Model("four-levels", input: .image(3, 64, 64), classes: 3) { image, classes in
    let eighth = image.through(
      SpaceToDepth(), Conv(16, kernel: 1), SpaceToDepth(), Conv(16, kernel: 1), SpaceToDepth(), Conv(16, kernel: 3))
    let sixteenth = eighth.through(SpaceToDepth(), Conv(16, kernel: 1))
    let half = sixteenth.through(SpaceToDepth(), Conv(16, kernel: 1))
    let whole = half.through(SpaceToDepth(), Conv(16, kernel: 1))
    let anchors = Detect.Anchors([
      [(8, 6), (10, 14)], [(16, 20), (24, 18)], [(40, 30), (30, 36)], [(60, 60), (44, 64)],
    ])
    return Detect(classes: classes, anchors: anchors)(eighth, sixteenth, half, whole)
  }

  private static let targets: [[Float]] = [
    [0, 0, 0.3, 0.4, 0.15, 0.12], [0, 2, 0.7, 0.6, 0.4, 0.35], [1, 1, 0.5, 0.5, 0.9, 0.95],
    [1, 0, 0.2, 0.8, 0.25, 0.3],
  ]

  private static func compiled(
    _ side: Int = 64, inBackward: Bool = false
  ) async throws -> (graph: Graph, lowered: Graph, network: TrainableNetwork) {
    let graph = try model.graph(size: Size2D(side, side), batch: 2)
    var options = Pipeline.Options()
    options.mode = .training
    options.maxTargets = targets.count
    options.updatesInBackward = inBackward
    let builder = try Builder(target: "native")
    let compiled = try builder.compile(graph, options: options)
    return (graph, compiled.plan.graph, try await builder.loadTrainable(compiled))
  }

  private static func trainer(_ network: TrainableNetwork, _ graph: Graph) throws -> Trainer {
    let trainer = try network.trainer(threads: 2)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    return trainer
  }

  /// The fourth level counts with its own balance, and the third with another than if it were the last.
  @Test func lossAndGradientsAgreeWithTheInterpreter() async throws {
    let (graph, lowered, network) = try await Self.compiled()
    let images = syntheticInput(graph.input.shape)
    let targets = Self.targets.map {
      LossOracle.Target(image: Int($0[0]), label: Int($0[1]), $0[2], $0[3], $0[4], $0[5])
    }
    let wanted = try Interpreter(graph: lowered, precision: .double, parameters: syntheticParameters(of: graph))
      .trainingStep(input: images, targets: targets)
    let trainer = try Self.trainer(network, graph)
    #expect(trainer.balances == [4, 1, 0.25, 0.06])
    let losses = try trainer.gradients(images, .boxes(Self.targets))
    #expect(zip(losses, wanted.losses).allSatisfy { abs(Double($0) - $1) < 1e-5 }, "\(losses) \(wanted.losses)")
    try trainer.expectGradients(wanted.gradients, within: 2e-5)
  }

  @Test func learns() async throws {
    let (graph, _, network) = try await Self.compiled()
    let trainer = try Self.trainer(network, graph)
    let images = syntheticInput(graph.input.shape)
    var rates = DetectionRates()
    rates.autobalance = true
    var losses: [Float] = []
    for _ in 1...60 {
      losses.append(
        try trainer.step(images, .boxes(Self.targets, rates: rates), Update(learningRate: 0.02, momentum: 0.9))[0]
      )
    }
    #expect(losses[59] < 0.5 * losses[0], "\(losses)")
    // Autobalance keeps the level of stride 16 at 1.
    #expect(
      trainer.balances[1] == 1 && trainer.balances != [4, 1, 0.25, 0.06] && trainer.balances.allSatisfy(\.isFinite))
  }

  /// Multi-scale training: networks of several sizes share one state, and what one leaves in the arena does not matter.
  @Test func sizesShareTheState() async throws {
    let (graph, _, small) = try await Self.compiled(inBackward: true)
    let (largeGraph, _, large) = try await Self.compiled(128, inBackward: true)
    let images = (small: syntheticInput(graph.input.shape), large: syntheticInput(largeGraph.input.shape))
    func step(_ trainer: Trainer) throws -> [Float] {
      try trainer.step(
        trainer.network === large ? images.large : images.small, .boxes(Self.targets),
        Update(learningRate: 0.02, momentum: 0.9))
    }
    let trainer = try Self.trainer(small, graph)
    let address = trainer[.values]!.baseAddress
    _ = try step(trainer)
    for network in [large, small] {
      // A trainer of this size alone, that begins where the other one is.
      let alone = try network.trainer(threads: 2)
      for array in [Trainer.Array.values, .momentum] {
        for (index, value) in trainer[array]!.enumerated() { alone[array]![index] = value }
      }
      alone.updates = trainer.updates
      try trainer.use(network)
      #expect(try step(trainer) == step(alone))
      #expect(Array(trainer[.values]!) == Array(alone[.values]!))
    }
    #expect(trainer.updates == 3 && trainer[.values]!.baseAddress == address)
    #expect {
      try trainer.step(images.large, .boxes(Self.targets), Update(learningRate: 0.1))
    } throws: { "\($0)".contains("takes \(images.small.count) values") }
    let (_, _, apart) = try await Self.compiled()
    #expect { try trainer.use(apart) } throws: { "\($0)".contains("compile both networks with the same options") }
    let (_, other) = try await UpdateInBackwardTests.compiled(inBackward: true)
    #expect { try trainer.use(other) } throws: { "\($0)".contains(" of the network before") }
  }

  /// Invalid input leaves everything unchanged.
  @Test func oneBoxTooManyAndALossThatIsNoNumber() async throws {
    let (graph, _, network) = try await Self.compiled()
    let trainer = try Self.trainer(network, graph)
    let before = Array(trainer[.values]!)
    let images = syntheticInput(graph.input.shape)
    #expect(network.maxTargets == 4)
    #expect {
      try trainer.step(images, .boxes(Self.targets + [Self.targets[0]]), Update(learningRate: 0.1))
    } throws: { "\($0)".contains("max-targets") }
    #expect(Array(trainer[.values]!) == before)
    var rates = DetectionRates()
    rates.autobalance = true
    let broken = images.map { _ in Float.nan }
    let losses = try trainer.step(broken, .boxes(Self.targets, rates: rates), Update(learningRate: 0.1))
    #expect(losses[0].isNaN && trainer.balances == [4, 1, 0.25, 0.06])
  }

  @Test func sixLevelsHaveNoBalances() throws {
    let model = Model("six-levels", input: .image(3, 32, 32), classes: 1) { image, classes in
      var levels = [image.through(Conv(16, kernel: 1))]
      for _ in 1..<6 { levels.append(levels.last!.through(SpaceToDepth(), Conv(16, kernel: 1))) }
      let detect = Detect(classes: classes, anchors: .init(levels.map { _ in [(4, 4)] }))
      return detect(levels[0], levels[1], levels[2], levels[3], levels[4], levels[5])
    }
    var options = Pipeline.Options()
    options.mode = .training
    options.maxTargets = 4
    #expect { try Pipeline.run(try model.graph(batch: 1), options: options) } throws: {
      "\($0)".contains("the YOLOv5 loss has balances for 5 levels at most, but")
    }
  }
}
