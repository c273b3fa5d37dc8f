import SPDRuntime
import Testing

extension Trainer {
  /// Expects the gradients of the last batch to equal `wanted`, by name, up to a relative error of their norm.
  func expectGradients(_ wanted: [String: [Double]], within share: Double) throws {
    for (name, gradient) in wanted {
      let found = try #require(values(of: name, in: .gradients))
      let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(found, gradient).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
      #expect(error <= share * norm + 1e-9, "\(name): \(error) of \(norm)")
    }
  }
}
