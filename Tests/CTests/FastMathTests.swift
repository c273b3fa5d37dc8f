import Testing

@testable import SPDDriver

/// Generated C gives the same results if its compiler was allowed fast arithmetic.
@Suite struct FastMathTests {
  @Test(arguments: [CCompiler.Kind.clang, .gcc])
  func numbersStay(_ kind: CCompiler.Kind) async throws { try await numbersStay(kind, ["-ffast-math"]) }

  @Test(.longMatrix, arguments: [CCompiler.Kind.clang, .gcc])
  func numbersStayWhereSumsMayBeReordered(_ kind: CCompiler.Kind) async throws {
    try await numbersStay(kind, ["-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math"])
  }

  private func numbersStay(_ kind: CCompiler.Kind, _ careless: [String]) async throws {
    let compiler = try CCompiler.first(kind)
    let flags = Workshop.strict + ["-O1"] + careless
    let output = try await Workshop.shared.output(
      .everyOp, Variant(target: "scalar"), compiler.path, flags, openMP: false)
    let comparison = Comparison(output, try await Reference.shared.output(.everyOp))
    #expect(comparison.worst <= 1, "\(comparison)")
  }
}
