/// An activation function by its names and its formula, from which the interpreter, the derivative, the C text and the ONNX nodes
/// follow. Each has a file of its own, with the layer of a model file.
public struct ActivationKind: Sendable {
  /// In the graph's text and in C: `leaky_relu`.
  public let name: String
  /// In graph files: `leakyReLU`.
  let key: String
  /// What graph files call the formula's constants.
  let constants: [String]
  let onnx: (@Sendable ([Double]) -> ONNXOperator)?
  let hasParameter: Bool
  let formula: @Sendable (_ x: Scalar, _ parameter: Scalar, _ constants: [Double]) -> Scalar

  /// - Parameters:
  ///   - onnx: ONNX's operator, where opset 17 has one.
  ///   - formula: f(x), from x and the constants in their order.
  init(
    _ name: String, key: String? = nil, constants: [String] = [], onnx: (@Sendable ([Double]) -> ONNXOperator)? = nil,
    formula: @escaping @Sendable (Scalar, [Double]) -> Scalar
  ) {
    self.name = name
    self.key = key ?? name
    self.constants = constants
    self.onnx = onnx
    hasParameter = false
    self.formula = { x, _, constants in formula(x, constants) }
  }

  /// One with a parameter that is learned: one value for all channels, or one for each.
  ///
  /// - Parameter withParameter: f(x, a), from x, the parameter and the constants.
  init(
    _ name: String, key: String? = nil, constants: [String] = [], onnx: (@Sendable ([Double]) -> ONNXOperator)? = nil,
    withParameter formula: @escaping @Sendable (Scalar, Scalar, [Double]) -> Scalar
  ) {
    self.name = name
    self.key = key ?? name
    self.constants = constants
    self.onnx = onnx
    hasParameter = true
    self.formula = formula
  }

  /// An operator of ONNX with one input, and its attributes.
  public struct ONNXOperator: Sendable {
    public let type: String
    public let attributes: [(name: String, value: Double)]

    init(_ type: String, _ attributes: [(name: String, value: Double)] = []) {
      self.type = type
      self.attributes = attributes
    }
  }

  /// All that graph files may name.
  public static let all = [
    relu, leakyReLU, prelu, relu6, elu, silu, mish, gelu, geluTanh, sigmoid, tanh, hardsigmoid, hardswish,
  ]
}
