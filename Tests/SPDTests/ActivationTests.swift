import Foundation
import SPD
import TestSupport
import Testing

@testable import SPD

/// What model files and graph files say of activations.
struct ActivationTests {
  /// One of each kind.
  static let all: [Op.Activation] = [
    .relu, .leakyReLU(slope: 0.1), .prelu("0.weight"), .relu6, .elu(alpha: 0.5), .silu, .mish, .gelu, .geluTanh,
    .sigmoid, .tanh,
    .hardsigmoid, .hardswish,
  ]

  @Test func eachKindIsListed() {
    #expect(Self.all.map(\.name) == ActivationKind.all.map(\.name))
    #expect(Set(ActivationKind.all.map(\.key)).count == ActivationKind.all.count)
  }

  @Test func formulas() {
    #expect(
      Self.all.map { "\($0.formula)" } == [
        "max(0, y)", "(max(0, y) + 0.1 * min(y, 0))", "(max(0, y) + t * min(y, 0))", "min(6, max(0, y))",
        "(max(0, y) + 0.5 * (exp(min(y, 0)) - 1))",
        "y * sigmoid(y)", "y * tanh(softplus(y))", "y * 0.5 * (1 + erf(y * 0.7071067811865476))",
        "y * 0.5 * (1 + tanh(0.7978845608028654 * (y + 0.044715 * y * y * y)))", "sigmoid(y)", "tanh(y)",
        "min(6, max(0, (y + 3))) * 0.16666666666666666", "max(-3, y) * min(6, (max(-3, y) + 3)) * 0.16666666666666666",
      ])
    #expect(Self.all.filter(\.isSmooth).map(\.name) == ["silu", "mish", "gelu", "gelu_tanh", "sigmoid", "tanh"])
  }

  /// As earlier versions wrote them, and with a formula of the file's own.
  @Test func graphFiles() throws {
    let texts = try Self.all.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    #expect(texts[0...1] == [#"{"relu":{}}"#, #"{"leakyReLU":{"slope":0.1}}"#])
    let own = Op.Activation(name: "cube", formula: ScalarExpression { x, _ in x * x * x })
    for activation in Self.all + [own] {
      #expect(try JSONDecoder().decode(Op.Activation.self, from: JSONEncoder().encode(activation)) == activation)
    }
    for wrong in [#"{"swish":{}}"#, "{}", #"{"relu":{},"silu":{}}"#, #"{"elu":{}}"#] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Op.Activation.self, from: Data(wrong.utf8)) }
    }
  }

  private static let wrong: [(network: @Sendable (Tensor) -> Tensor, message: String)] = [
    ({ $0.through(LeakyReLU(.infinity)) }, "leaky_relu needs a finite slope, not inf"),
    ({ $0.through(ELU(1e300)) }, "elu needs a finite alpha, not 1e+300"),
    ({ $0.through(Activation("sums") { x in x - channelSum(x) }) }, "sums reads more than one number"),
    ({ $0.through(Activation("Own") { x in x }) }, "an activation is called by at most 40 letters a to z"),
    ({ $0.through(Activation("") { x in x }) }, "an activation is called by at most 40 letters a to z"),
    (
      { $0.through(Activation("long") { x in (0..<60).reduce(x) { $0 * x + Scalar(Double($1) + 0.5) } }) },
      "there is code for 100 at most"
    ),
  ]

  @Test func errors() {
    for (network, message) in Self.wrong {
      let model = Model("wrong", input: .image(3, 8, 8)) { image, _ in network(image) }
      let error = #expect(throws: TraceError.self) { try model.graph() }
      #expect("\(error!)".contains(message), "\(error!)")
    }
  }
}
