extension Op {
  /// A function of single numbers, y = f(x): one of `ActivationKind.all` with its constants, or one that a model file writes down.
  public struct Activation: Hashable, Sendable {
    /// As the graph's text calls it: `leaky_relu`.
    public let name: String
    /// Of a kind that is listed, in the kind's order.
    public let constants: [Double]
    /// The name of its learned parameter, if it has one: one value for all channels, or one for each.
    public let parameter: String?
    /// f, in terms of `output`, its argument, and `target`, its parameter.
    public let formula: ScalarExpression
    /// Its kind's name in graph files; nil for one that a model file writes down.
    public let kind: String?

    init(_ kind: ActivationKind, _ constants: [Double] = [], parameter: String? = nil) {
      name = kind.name
      self.parameter = parameter
      self.kind = kind.key
      self.constants = constants
      // `checkAttributes` refuses what is not finite; arithmetic on it cannot be written down.
      let finite = constants.map { Float($0).isFinite ? $0 : 0 }
      formula = ScalarExpression(withParameter: kind.hasParameter) { kind.formula($0, $1, finite) }
    }

    /// One of a model file's own.
    public init(name: String, formula: ScalarExpression) {
      self.name = name
      self.formula = formula
      kind = nil
      constants = []
      parameter = nil
    }

    /// ONNX's operator for it, if opset 17 has one; else it is written as the arithmetic of its formula.
    public var onnx: ActivationKind.ONNXOperator? { listed?.onnx?(constants) }

    var constantNames: [String] { listed?.constants ?? [] }

    private var listed: ActivationKind? { kind.flatMap { key in ActivationKind.all.first { $0.key == key } } }

    /// Whether its slope has no jump, as far as its formula shows.
    public var isSmooth: Bool {
      formula.terms.allSatisfy { term in
        switch term {
        case .function(.sign, _), .operation(.maximum, _, _), .operation(.minimum, _, _), .operation(.atLeast, _, _):
          false
        case .output, .target, .constant, .function, .operation, .reduction: true
        }
      }
    }
  }
}

/// A graph file names a kind and its constants, `{"leakyReLU": {"slope": 0.1}}`, or holds the formula of a model file's own,
/// `{"custom": {"name": …, "formula": …}}`.
extension Op.Activation: Codable {
  private static let custom = "custom"

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard let key = container.allKeys.first, container.allKeys.count == 1 else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "an activation has one name"))
    }
    let values = try container.nestedContainer(keyedBy: Key.self, forKey: key)
    func check(_ known: [String]) throws {
      guard let other = values.allKeys.first(where: { !known.contains($0.stringValue) }) else { return }
      throw DecodingError.dataCorruptedError(
        forKey: other, in: values, debugDescription: "\(key.stringValue) has no \(other.stringValue)")
    }
    if key.stringValue == Self.custom {
      try check(["name", "formula"])
      self.init(
        name: try values.decode(String.self, forKey: Key(stringValue: "name")),
        formula: try values.decode(ScalarExpression.self, forKey: Key(stringValue: "formula")))
      return
    }
    guard let kind = ActivationKind.all.first(where: { $0.key == key.stringValue }) else {
      let known = ActivationKind.all.map { $0.key }.joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "no activation is called \(key.stringValue); there are \(known)"))
    }
    try check(kind.constants + (kind.hasParameter ? ["parameter"] : []))
    let constants = try kind.constants.map { try values.decode(Double.self, forKey: Key(stringValue: $0)) }
    let parameter = kind.hasParameter ? try values.decode(String.self, forKey: Key(stringValue: "parameter")) : nil
    self.init(kind, constants, parameter: parameter)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    var values = container.nestedContainer(keyedBy: Key.self, forKey: Key(stringValue: kind ?? Self.custom))
    guard let listed else {
      try values.encode(name, forKey: Key(stringValue: "name"))
      try values.encode(formula, forKey: Key(stringValue: "formula"))
      return
    }
    try values.encodeIfPresent(parameter, forKey: Key(stringValue: "parameter"))
    for (name, value) in zip(listed.constants, constants) { try values.encode(value, forKey: Key(stringValue: name)) }
  }
}
