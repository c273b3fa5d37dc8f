/// x·Φ(x), where Φ is the distribution function of the standard normal distribution.
public struct GELU: OperationLayer {
  public var site: Site
  public let op: Op

  /// How Φ is computed: PyTorch's `approximate`.
  public enum Approximation: Sendable {
    /// (1 + erf(x/√2))/2
    case none
    /// (1 + tanh(√(2/π)·(x + 0.044715·x³)))/2
    case tanh
  }

  public init(approximate: Approximation = .none, file: String = #fileID, line: Int = #line) {
    op = .activation(approximate == .none ? .gelu : .geluTanh)
    site = Site(file, line)
  }
}

extension Op.Activation {
  public static let gelu = Self(.gelu)
  public static let geluTanh = Self(.geluTanh)
}

extension ActivationKind {
  static let gelu = Self("gelu") { x, _ in x * (0.5 * (1 + erf(x * Scalar(0.5.squareRoot())))) }

  static let geluTanh = Self("gelu_tanh", key: "geluTanh") { x, _ in
    let slope = Scalar((2 / Double.pi).squareRoot())
    return x * (0.5 * (1 + SPD.tanh(slope * (x + 0.044715 * (x * x * x)))))
  }
}
