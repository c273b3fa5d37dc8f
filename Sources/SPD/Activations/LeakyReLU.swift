/// x if positive, else slope·x.
public struct LeakyReLU: OperationLayer {
  public var site: Site
  public let op: Op

  public init(_ slope: Double = 0.01, file: String = #fileID, line: Int = #line) {
    op = .activation(.leakyReLU(slope: slope))
    site = Site(file, line)
  }
}

extension Op.Activation {
  public static func leakyReLU(slope: Double) -> Self { Self(.leakyReLU, [slope]) }
}

extension ActivationKind {
  static let leakyReLU = Self(
    "leaky_relu", key: "leakyReLU", constants: ["slope"], onnx: { ONNXOperator("LeakyRelu", [("alpha", $0[0])]) }
  ) { x, constants in max(0, x) + Scalar(constants[0]) * min(x, 0) }
}
