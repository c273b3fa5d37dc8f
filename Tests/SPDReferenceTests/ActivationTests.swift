import Foundation
import SPD
import TestSupport
import Testing

@testable import SPDReference

/// Formulas and their derivatives against PyTorch, which Tests/Peers/activations.py has recorded in double precision.
struct ActivationTests {
  struct Case: Codable {
    var activation: Op.Activation
    var values: [Double]
    var slopes: [Double]
  }

  struct Recorded: Codable {
    var x: [Double]
    var cases: [Case]
  }

  @Test func agreeWithPyTorch() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = tests.appendingPathComponent("Fixtures/activations.json")
    let recorded = try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
    // What is learned has no values of its own.
    let fixed = ActivationKind.all.map { $0.name }.filter { $0 != "prelu" }
    #expect(Set(recorded.cases.map { $0.activation.name }) == Set(fixed))
    for each in recorded.cases {
      let (derivative, root, _) = each.activation.formula.differentiated()
      // PyTorch's 1/6 in the derivative of hardsigmoid is a float.
      let accuracy = each.activation == .hardsigmoid ? 1e-8 : 1e-14
      for (index, x) in recorded.x.enumerated() {
        let (y, slope) = (each.values[index], each.slopes[index])
        #expect(
          abs(each.activation.formula.evaluate(x) - y) <= 1e-14 * max(1, abs(y)), "\(each.activation.name) at \(x)")
        #expect(
          abs(derivative.evaluate(x, at: root) - slope) <= accuracy * max(1, abs(slope)),
          "the slope of \(each.activation.name) at \(x)")
      }
    }
  }
}
