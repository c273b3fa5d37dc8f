import Foundation
import SPDFormats
import Testing

/// A NaN in the input comes out where PyTorch's would, and nowhere else.
@Suite struct NotANumberTests {
  @Test func maximumKeepsNaN() async throws {
    let scratch = try Scratch()
    let model = try scratch.write(
      "import SPD\nlet m = Model(\"m\", input: .image(1, 4, 4)) { x, _ in MaxPool(2)(x) }\n", "m.swift")
    var values = (0..<16).map { Float($0) }
    // First and last of their windows: what follows, or came before, is a number.
    values[0] = .nan
    values[15] = .nan
    try writeNPY(HostTensor(shape: [1, 1, 4, 4], values: values), to: scratch("x.npy"))
    let outcome = try await spdc(
      "run", model, "--weights", "synthetic", "--input", scratch("x.npy"), "--output", scratch("y.npy"))
    #expect(outcome.code == Exit.data.rawValue && outcome.errors.contains("output is not finite (2 of 4 values"))
    let result = try readNPY(scratch("y.npy")).values
    #expect(result.map(\.isNaN) == [true, false, false, true])
    #expect(Array(result[1...2]) == [7, 13])
  }
}
