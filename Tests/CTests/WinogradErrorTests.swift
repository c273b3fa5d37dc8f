import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import Testing

@testable import SPDDriver

/// What each algorithm loses, on one 3×3 convolution of 64 to 64 channels at 30×30 against the interpreter's double precision:
/// max |Δ| / max |y|. The limits are what `Winograd` states.
@Suite struct WinogradErrorTests {
  @Test(arguments: Winograd.all)
  func theErrorIsWhatIsStated(winograd: Winograd) async throws {
    #expect(try await error(size: winograd.size) <= winograd.errorBound)
  }

  @Test func directConvolutionsRoundOnly() async throws {
    #expect(try await error(size: nil) <= 3e-6)
  }

  /// - Parameter size: size of the output tile; nil for the direct convolution.
  private func error(size: Int?) async throws -> Double {
    let model = Model("one", input: .image(3, 30, 30), classes: 64) { image, classes in
      image.through(Conv2D(64, kernel: 1), Conv2D(classes, kernel: 3))
    }
    let graph = try model.graph()
    let builder = try Builder(target: Variant.best.target)
    var options = Pipeline.Options()
    let lowered = try Pipeline.run(graph, options: options).graph
    let problems = TuningProblem.all(in: lowered, target: builder.target, kernels: options.kernels)
    for problem in problems {
      let kernel = problem.candidates.first { kernel in
        size.map { kernel.winograd?.size == $0 } ?? (kernel.template == "conv_direct")
      }
      if let kernel { options.kernels.learned[problem.key] = kernel }
    }
    let compiled = try builder.compile(graph, options: options)
    #expect(compiled.plan.steps.contains { $0.kernel.winograd?.size == size && $0.kernel.template.hasPrefix("conv") })
    let weights = syntheticParameters(of: graph)
    let network = try await builder.load(compiled, quiet: true)
    let packed = try network.pack(
      try ParameterFile(graphHash: graph.parameterHash, parameters: graph.storedParameters) {
        try weights($0.name)
      })
    let input = syntheticInput(graph.input.shape)
    let found = try network.session(packed, threads: 1).infer(input)
    let expected = try Interpreter(graph: graph, parameters: weights).outputs(input: input).flatMap { $0 }
    let largest = expected.reduce(0) { max($0, abs(Double($1))) }
    let error = zip(found, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) } / largest
    print("max |Δ| / max |y| of \(size.map { "F(\($0)×\($0))" } ?? "direct"): \(error)")
    return error
  }
}
