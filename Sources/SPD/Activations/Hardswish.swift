/// x·clamp(x + 3, 0, 6)/6
public struct Hardswish: OperationLayer {
  public var site: Site
  public let op = Op.activation(.hardswish)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let hardswish = Self(.hardswish)
}

extension ActivationKind {
  static let hardswish = Self("hardswish", onnx: { _ in ONNXOperator("HardSwish") }) { x, _ in
    // Minus infinity is cut off first: its product with 0 is not a number.
    let a = max(-3, x)
    return a * (min(6, a + 3) * Scalar(1.0 / 6))
  }
}
