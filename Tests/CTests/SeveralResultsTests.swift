import SPD
import SPDCompiler
import SPDDriver
import SPDReference
import SPDRuntime
import Testing

/// Each result of a network with several can be located.
@Suite struct SeveralResultsTests {
  private static let model = Model("several", input: .image(3, 32, 32), classes: 2) { image, classes in
    let levels = [8, 16, 32].map { side in image.through(AveragePool(Size2D(side)), Conv2D(8, kernel: 1)) }
    let scores = levels[0].through(GlobalAveragePool(), Flatten(), Linear(classes))
    return [scores, levels[2], levels[1]]
  }

  @Test func eachIsWhereTheHeaderSays() throws {
    let header = try Builder(target: "scalar").compile(try Self.model.graph(), options: Pipeline.Options()).code.header
    for line in [
      "#define SEVERAL_OUTPUTS 3", "#define SEVERAL_OUTPUT_0_OFFSET ((size_t)0)",
      "#define SEVERAL_OUTPUT_0_COUNT ((size_t)2)",
      "#define SEVERAL_OUTPUT_1_OFFSET ((size_t)2)", "#define SEVERAL_OUTPUT_1_COUNT ((size_t)8)",
      "#define SEVERAL_OUTPUT_2_OFFSET ((size_t)10)", "#define SEVERAL_OUTPUT_2_COUNT ((size_t)32)",
    ] { #expect(header.contains(line), "\(line)") }
  }

  @Test func eachIsWhatTheInterpreterGives() async throws {
    let graph = try Self.model.graph()
    let builder = try Builder(target: "scalar")
    let network = try await builder.load(try builder.compile(graph, options: Pipeline.Options()))
    #expect(network.outputRanges == [0..<2, 2..<10, 10..<42])
    let file = try ParameterFile(
      graphHash: graph.parameterHash, parameters: graph.storedParameters, values: syntheticParameter)
    let input = syntheticInput(graph.input.shape)
    let found = try network.session(try network.pack(file), threads: 1).inferEach(input)
    let expected = try Interpreter(graph: graph, parameters: syntheticParameters(of: graph)).outputs(input: input)
    #expect(found.map(\.count) == expected.map(\.count))
    for (a, b) in zip(found, expected) { #expect(Comparison(a, b).worst <= 1) }
  }
}
