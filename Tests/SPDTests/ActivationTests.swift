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
    for wrong in [
      #"{"swish":{}}"#, "{}", #"{"relu":{},"silu":{}}"#, #"{"elu":{}}"#, #"{"gelu":{"alpha":3}}"#, #"{"prelu":{}}"#,
      #"{"custom":{"name":"a"}}"#,
    ] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Op.Activation.self, from: Data(wrong.utf8)) }
    }
  }

  private static let wrong: [(network: @Sendable (Tensor) -> Tensor, message: String)] = [
    ({ $0.through(LeakyReLU(.infinity)) }, "leaky_relu needs a finite slope, not inf"),
    ({ $0.through(ELU(1e300)) }, "elu needs a finite alpha, not 1e+300"),
    ({ $0.through(Activation("sums") { x in x - channelSum(x) }) }, "sums reads more than one number"),
    ({ $0.through(Activation("Own") { x in x }) }, "an activation is called by at most 40 letters a to z"),
    ({ $0.through(Activation("") { x in x }) }, "an activation is called by at most 40 letters a to z"),
    ({ $0.through(Activation("one") { _ in 1 }) }, "one does not depend on its argument"),
    ({ $0.through(Activation("inverse") { x in 1 / x }) }, "inverse is inf at 0, which padding is"),
    (
      { $0.through(Activation("long") { x in (0..<60).reduce(x) { $0 * x + Scalar(Double($1) + 0.5) } }) },
      "there is code for 100 at most"
    ),
  ]

  /// What only a graph file can say.
  @Test func formulasOfFiles() throws {
    func message(_ terms: [ScalarExpression.Term], result: Int) throws -> String {
      let model = Model("wrong", input: .image(3, 8, 8)) { image, _ in image.through(ReLU()) }
      var graph = try model.graph()
      let formula = ScalarExpression(terms: terms, result: result)
      graph.nodes[1].op = .activation(Op.Activation(name: "own", formula: formula))
      return "\(#expect(throws: GraphError.self) { try graph.verify() }!)"
    }
    #expect(try message([.output], result: 7).contains("the formula of own is malformed"))
    #expect(try message([.function(.exp, 0), .output], result: 0).contains("the formula of own is malformed"))
    #expect(try message([.output, .target, .operation(.add, 0, 1)], result: 2).contains("own does not have"))
  }

  @Test func aLearnedOneHasAParameter() throws {
    let model = Model("learned", input: .image(3, 8, 8)) { image, _ in
      image.through(Conv2D(8, kernel: 3), PReLU(perChannel: true))
    }
    let graph = try model.graph()
    #expect(graph.parameter("1.weight") == Parameter(name: "1.weight", shape: [8], role: .slope))
    for (name, message) in [("0.bias", "needs a slope, but 0.bias is none"), ("none", "which the graph does not list")]
    {
      var wrong = graph
      wrong.nodes[2].op = .activation(.prelu(name))
      let error = #expect(throws: GraphError.self) { try wrong.verify() }
      #expect("\(error!)".contains(message), "\(error!)")
    }
    var short = graph
    short.parameters[2].shape = [5]
    #expect(
      "\(#expect(throws: GraphError.self) { try short.verify() }!)"
        .contains("prelu has 5 values of 1.weight for 8 channels: it needs one, or one for each"))
    var grouped = graph
    guard case .convolution(var op) = grouped.nodes[1].op else { return }
    (op.groups, op.epilogue.stages) = (2, [.activate(.prelu("1.weight"))])
    grouped.nodes[1].op = .convolution(op)
    #expect(
      "\(#expect(throws: GraphError.self) { try grouped.verify() }!)"
        .contains("a convolution with 2 groups has one part, no normalisation by phase and no learned activation"))
  }

  @Test func errors() {
    for (network, message) in Self.wrong {
      let model = Model("wrong", input: .image(3, 8, 8)) { image, _ in network(image) }
      let error = #expect(throws: TraceError.self) { try model.graph() }
      #expect("\(error!)".contains(message), "\(error!)")
    }
  }
}
