import SPD
import SPDCompiler
import SPDRuntime
import Testing

@testable import SPDDriver

/// Convolutions with so many Winograd weights that training packs them in slices.
@Suite struct PackedSharesTests {
  /// Its strips do not divide into equal slices, neither forward nor backward.
  private static let model = Model("shares", input: .image(3, 32, 32), classes: 5) { image, classes in
    image.through(
      Conv2D(160, kernel: 1), SpaceToDepth(), Conv(16, kernel: 1), Conv2D(176, kernel: 3, bias: false),
      Conv2D(1200, kernel: 3), BatchNorm(), SiLU(), GlobalAveragePool(), Flatten(), Linear(classes))
  }

  private static func compiled(_ algorithms: KernelOptions.Algorithms) async throws -> (Plan, TrainableNetwork) {
    var options = Pipeline.Options()
    options.mode = .training
    options.kernels.algorithms = algorithms
    let builder = try Builder(target: "native")
    let compiled = try builder.compile(try model.graph(batch: 3), options: options)
    return (compiled.plan, try await builder.loadTrainable(compiled))
  }

  private static func gradients(_ network: TrainableNetwork, _ graph: Graph, threads: Int) throws -> [String: [Float]] {
    let trainer = try network.trainer(threads: threads)
    try trainer.load { parameter in syntheticParameter(graph.parameter(parameter.name)!) }
    _ = try trainer.gradients(syntheticInput(graph.input.shape), .labels([0, 3, 4]))
    return Dictionary(
      uniqueKeysWithValues: network.parameters.filter { $0.group != .constant }.map {
        ($0.name, trainer.values(of: $0.name, in: .gradients)!)
      })
  }

  @Test func gradientsAreThoseOfDirectConvolutions() async throws {
    let (plan, network) = try await Self.compiled(.fast)
    let shares = plan.steps.compactMap { $0.kernel.winograd?.share }.filter { $0 > 0 }
    #expect(shares.count == 2, "\(shares)")
    let (exact, reference) = try await Self.compiled(.exact)
    #expect(exact.steps.allSatisfy { $0.kernel.winograd == nil })
    #expect(plan.arenaCount * 4 < 40 << 20)
    let found = try Self.gradients(network, plan.graph, threads: 1)
    for threads in 2...3 { #expect(try Self.gradients(network, plan.graph, threads: threads) == found) }
    func length(_ numbers: [Float]) -> Float { numbers.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let expected = try Self.gradients(reference, plan.graph, threads: 1)
    let largest = expected.values.map(length).max()!
    for (name, wanted) in expected {
      let error = length(zip(found[name]!, wanted).map { $0 - $1 })
      // Smaller ones are differences of larger numbers.
      #expect(error <= 1e-4 * max(length(wanted), 1e-2 * largest), "\(name): \(error) of \(length(wanted))")
    }
  }
}
