import SPDRuntime
import Testing

extension Trainer {
  /// Whether the gradients of the last batch are `wanted`, by name, up to an error whose norm is a share of theirs.
  func expectGradients(_ wanted: [String: [Double]], within share: Double) throws {
    for (name, gradient) in wanted {
      let found = try #require(values(of: name, in: .gradients))
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(found, gradient).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
      #expect(error <= share * norm + 1e-9, "\(name): \(error) of \(norm)")
    }
  }
}
