/// min(max(x, 0), 6)
public struct ReLU6: OperationLayer {
  public var site: Site
  public let op = Op.activation(.relu6)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let relu6 = Self(.relu6)
}

extension ActivationKind {
  static let relu6 = Self("relu6") { x, _ in min(6, max(0, x)) }
}
