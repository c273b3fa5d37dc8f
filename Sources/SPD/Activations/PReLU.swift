/// x if positive, else a·x, where a is learned: one for all channels, or one for each.
public struct PReLU: Layer {
  public var site: Site
  let isPerChannel: Bool

  public init(perChannel: Bool = false, file: String = #fileID, line: Int = #line) {
    isPerChannel = perChannel
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let weight = x.builder.parameter("weight", [isPerChannel ? x.shape.channels : 1], .slope)
    return x.builder.append(.activation(.prelu(weight)), [x])
  }
}

extension Op.Activation {
  /// - Parameter parameter: the name of one value, or one for each channel.
  public static func prelu(_ parameter: String) -> Self { Self(.prelu, parameter: parameter) }
}

extension ActivationKind {
  static let prelu = Self(
    "prelu", onnx: { _ in ONNXOperator("PRelu") },
    withParameter: { x, a, _ in
      max(0, x) + a * min(x, 0)
    })
}
