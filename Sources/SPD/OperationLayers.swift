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
