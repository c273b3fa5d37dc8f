import Foundation
import SPD
import SPDCompiler
import SPDReference
import TestSupport
import Testing

@testable import SPD

/// Losses that a model file composes: what is recorded of them.
struct LossExpressionTests {
  static let losses: [(String, Loss)] = [
    ("(y - t) * (y - t)", .mean { y, t in (y - t) * (y - t) }),
    ("(0 - t * log(sigmoid(y)))", .sum { y, t in -(t * log(sigmoid(y))) }),
    ("sqrt((y * y + 2)) / exp(t)", .mean { y, t in sqrt(y * y + 2) / exp(t) }),
    ("((max(y, t) + y * sign(y)) + softplus(y * 0.5))", .mean { y, t in max(y, t) + abs(y) + softplus(y * 0.5) }),
    ("min(y, t)", .mean { y, t in min(y, t) }),
    ("channel_sum(y * t) * y", .mean { y, t in channelSum(y * t) * y }),
    (
      "t * ((y - channel_maximum(y)) - log(channel_sum(exp((y - channel_maximum(y))))))",
      .sum { y, t in t * logSoftmax(y) }
    ),
  ]

  @Test(arguments: losses.indices)
  func text(_ index: Int) { #expect("\(Self.losses[index].1.expression)" == Self.losses[index].0) }

  /// What changes nothing is left out, constants are computed, and equal terms are one.
  @Test func isSimplified() {
    let loss = Loss.mean { y, t in 1 * (y + 0) * (y * 1) - 0 + sqrt(LossValue(4)) * exp(0) * (t / 1) }
    #expect("\(loss.expression)" == "(y * y + 2 * t)")
    #expect(Loss.mean { y, t in (y - t) * (y - t) }.expression.values.terms.count == 4)
  }

  @Test func isPartOfTheGraphsText() throws {
    let model = Model("own", input: .image(3, 8, 8), loss: Self.losses[0].1) { image, _ in Conv2D(3, kernel: 3)(image) }
    let graph = try model.graph()
    #expect(graph.loss == Self.losses[0].1.expression)
    let decoded = try JSONDecoder().decode(Graph.self, from: JSONEncoder().encode(graph))
    #expect(decoded == graph)
    // A graph without one, as older files have it.
    let text = String(decoding: try JSONEncoder().encode(try tiny().graph()), as: UTF8.self)
    #expect(!text.contains("loss"))
  }

  private func tiny() -> Model {
    Model("plain", input: .image(3, 8, 8)) { image, _ in Conv2D(3, kernel: 3)(image) }
  }

  @Test func termsOfTheFutureAreRefused() throws {
    var graph = try tiny().graph()
    for terms in [
      [ScalarExpression.Term.function(.exp, 0)], [.output, .constant(.infinity)], [.output, .reduction(.sum, -1)],
    ] {
      graph.loss = LossExpression(ScalarExpression(terms: terms, result: 0), average: .images)
      #expect(throws: GraphError.self) { try graph.verify() }
    }
    graph.loss = LossExpression(ScalarExpression(terms: [.output], result: 1), average: .images)
    #expect(throws: GraphError.self) { try graph.verify() }
  }
}
