/// max(x, 0)
public struct ReLU: OperationLayer {
  public var site: Site
  public let op = Op.activation(.relu)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let relu = Self(.relu)
}

extension ActivationKind {
  static let relu = Self("relu", onnx: { _ in ONNXOperator("Relu") }) { x, _ in max(0, x) }
}
