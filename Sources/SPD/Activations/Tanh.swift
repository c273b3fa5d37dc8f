/// (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ)
public struct Tanh: OperationLayer {
  public var site: Site
  public let op = Op.activation(.tanh)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let tanh = Self(.tanh)
}

extension ActivationKind {
  static let tanh = Self("tanh", onnx: { _ in ONNXOperator("Tanh") }) { x, _ in SPD.tanh(x) }
}
