/// 1/(1 + e⁻ˣ)
public struct Sigmoid: OperationLayer {
  public var site: Site
  public let op = Op.activation(.sigmoid)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let sigmoid = Self(.sigmoid)
}

extension ActivationKind {
  static let sigmoid = Self("sigmoid", onnx: { _ in ONNXOperator("Sigmoid") }) { x, _ in SPD.sigmoid(x) }
}
