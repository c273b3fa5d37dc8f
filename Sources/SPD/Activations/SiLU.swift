/// x·σ(x)
public struct SiLU: OperationLayer {
  public var site: Site
  public let op = Op.activation(.silu)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let silu = Self(.silu)
}

extension ActivationKind {
  static let silu = Self("silu") { x, _ in x * SPD.sigmoid(x) }
}
