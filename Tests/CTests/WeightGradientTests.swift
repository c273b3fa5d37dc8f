import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import Testing

@testable import SPDDriver

/// Weight gradients by the kernels that take turns on parts of their inputs.
@Suite struct WeightGradientTests {
  /// After a space-to-depth, strided, with biases and partial blocks, and after a concat; groups of units and panels of
  /// pixels that do not divide evenly.
  private static let pointwise = Model("pixels", input: .image(3, 8, 8), classes: 5) { image, classes in
    let x = image.through(Conv2D(64, kernel: 1), Conv2D(80, kernel: 1), SiLU())
    let deep = x.through(SpaceToDepth(), Conv2D(264, kernel: 1), SiLU())
    let left = deep.through(SpaceToDepth(), Conv2D(256, kernel: 1, bias: false), BatchNorm(), SiLU())
    let right = deep.through(Conv2D(280, kernel: 1, stride: 2), SiLU())
    return concat(left, right).through(Conv2D(256, kernel: 1), SiLU(), GlobalAveragePool(), Flatten(), Linear(classes))
  }

  /// Winograd with so many inputs that they are transformed in slices of unequal size.
  private static let winograd = Model("tiles", input: .image(3, 16, 12), classes: 5) { image, classes in
    image.through(
      Conv2D(152, kernel: 1), SpaceToDepth(), Conv2D(144, kernel: 1), SiLU(), Conv2D(88, kernel: 3, bias: false),
      BatchNorm(), SiLU(), SpaceToDepth(), Conv2D(72, kernel: 3, bias: false), BatchNorm(), SiLU(), GlobalAveragePool(),
      Flatten(), Linear(classes))
  }

  /// 1×1 weights, from panels of pixels that lie side by side.
  @Test(arguments: Variant.targets.prefix(2))
  func panelsOfPixels(target: String) async throws {
    let plan = try await agreesWithTheInterpreter(Self.pointwise, batch: 13, target)
    let tiles = plan.steps.compactMap { if case .weightGradient1x1(let tile) = $0.kernel { tile } else { nil } }
    #expect(tiles.count == 5)
    #expect(tiles.contains { 68 % $0.across > 0 })
    #expect(target != Variant.targets[0] || tiles.contains { 13 * 64 % $0.panel > 0 })
  }

  @Test(arguments: Variant.targets.prefix(2))
  func sharesOfInputs(target: String) async throws {
    let plan = try await agreesWithTheInterpreter(Self.winograd, batch: 5, target)
    let tiles = plan.steps.compactMap { if case .weightGradientWinograd(let tile) = $0.kernel { tile } else { nil } }
    #expect(tiles.map(\.share) == [8, 5])
  }

  /// The caller's image: taps in groups, and columns that only some of a group have; a kernel far wider than the image, of which
  /// some taps have no pixel at all.
  @Test(arguments: [(2, 2, 1), (9, 7, 2), (1, 12, 1)])
  func image(height: Int, width: Int, stride: Int) async throws {
    let model = Model("image", input: .image(3, height, width), classes: 5) { image, classes in
      image.through(
        Conv2D(24, kernel: 7, stride: Size2D(stride, stride)), SiLU(), GlobalAveragePool(), Flatten(), Linear(classes))
    }
    let plan = try await agreesWithTheInterpreter(model, batch: 3, Variant.targets[0])
    #expect(plan.steps.contains { $0.kernel.template == "weight_gradient_image" })
  }

  /// - Returns: the plan.
  private func agreesWithTheInterpreter(_ model: Model, batch: Int, _ target: String) async throws -> Plan {
    let graph = try model.graph(batch: batch)
    var options = Pipeline.Options()
    options.mode = .training
    let builder = try Builder(target: target)
    let compiled = try builder.compile(graph, options: options)
    let network = try await builder.loadTrainable(compiled)
    let images = syntheticInput(graph.input.shape)
    let labels = (0..<batch).map { $0 * 3 % 5 }
    let wanted = try Interpreter(
      graph: compiled.plan.graph, precision: .double, parameters: syntheticParameters(of: graph)
    ).trainingStep(input: images, labels: labels)
    var first: [Float] = []
    for threads in 1...3 {
      let trainer = try network.trainer(threads: threads)
      try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
      let losses = try trainer.gradients(images, .labels(labels.map { Int32($0) }))
      #expect(abs(Double(losses[0]) - wanted.losses[0]) < 1e-5)
      try trainer.expectGradients(wanted.gradients, within: 2e-5)
      let gradients = Array(trainer[.gradients]!)
      if threads == 1 { first = gradients } else { #expect(gradients == first) }
    }
    return compiled.plan
  }
}
