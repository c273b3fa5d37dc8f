/// clamp(x + 3, 0, 6)/6
public struct Hardsigmoid: OperationLayer {
  public var site: Site
  public let op = Op.activation(.hardsigmoid)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let hardsigmoid = Self(.hardsigmoid)
}

extension ActivationKind {
  static let hardsigmoid = Self(
    "hardsigmoid", onnx: { _ in ONNXOperator("HardSigmoid", [("alpha", 1.0 / 6), ("beta", 0.5)]) }
  ) { x, _ in min(6, max(0, x + 3)) * Scalar(1.0 / 6) }
}
