/// x if positive, else α·(eˣ − 1).
public struct ELU: OperationLayer {
  public var site: Site
  public let op: Op

  public init(_ alpha: Double = 1, file: String = #fileID, line: Int = #line) {
    op = .activation(.elu(alpha: alpha))
    site = Site(file, line)
  }
}

extension Op.Activation {
  public static func elu(alpha: Double) -> Self { Self(.elu, [alpha]) }
}

extension ActivationKind {
  static let elu = Self("elu", constants: ["alpha"], onnx: { ONNXOperator("Elu", [("alpha", $0[0])]) }) {
    x, constants in
    max(0, x) + Scalar(constants[0]) * (exp(min(x, 0)) - 1)
  }
}
