/// A layer without parameters that is a single operation.
public protocol OperationLayer: Layer {
  var op: Op { get }
}

extension OperationLayer {
  public func forward(_ x: Tensor) -> Tensor { x.builder.append(op, [x]) }
}

/// Mean over all pixels: C×H×W → C×1×1.
public struct GlobalAveragePool: OperationLayer {
  public var site: Site
  public let op = Op.globalAveragePool

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

/// C×H×W → C·H·W × 1 × 1, row-major as in PyTorch.
public struct Flatten: OperationLayer {
  public var site: Site
  public let op = Op.flatten

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

/// eˣ / Σ eˣ over channels.
public struct Softmax: OperationLayer {
  public var site: Site
  public let op = Op.softmax

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

/// max(x, 0)
public struct ReLU: OperationLayer {
  public var site: Site
  public let op = Op.activation(.relu)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

/// x if positive, else slope·x.
public struct LeakyReLU: OperationLayer {
  public var site: Site
  public let op: Op

  public init(_ slope: Double = 0.01, file: String = #fileID, line: Int = #line) {
    op = .activation(.leakyReLU(slope: slope))
    site = Site(file, line)
  }
}

/// x·σ(x)
public struct SiLU: OperationLayer {
  public var site: Site
  public let op = Op.activation(.silu)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

/// 1/(1 + e⁻ˣ)
public struct Sigmoid: OperationLayer {
  public var site: Site
  public let op = Op.activation(.sigmoid)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}

/// x·clamp(x + 3, 0, 6)/6
public struct Hardswish: OperationLayer {
  public var site: Site
  public let op = Op.activation(.hardswish)

  public init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
}
