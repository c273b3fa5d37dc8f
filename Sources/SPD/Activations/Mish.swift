/// x·tanh(ln(1 + eˣ))
public struct Mish: OperationLayer {
  public var site: Site
  public let op = Op.activation(.mish)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

extension Op.Activation {
  public static let mish = Self(.mish)
}

extension ActivationKind {
  static let mish = Self("mish") { x, _ in x * SPD.tanh(softplus(x)) }
}
