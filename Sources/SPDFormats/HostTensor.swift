/// An array in host memory: row-major float32 values and a shape.
public struct HostTensor: Sendable, Equatable {
  /// Extents, outermost first; empty for a scalar. Every extent is zero or more.
  public var shape: [Int]
  /// The elements, row-major: the last axis varies fastest. Their count is the product of `shape`.
  public var values: [Float]

  public init(shape: [Int], values: [Float]) {
    self.shape = shape
    self.values = values
  }
}

extension HostTensor {
  /// The product of `shape`, or nil for an impossible shape: a negative extent, or more elements than memory can
  /// address.
  /// An extent of zero makes an array empty; as in numpy, the product of the others must still be valid.
  static func elementCount(of shape: [Int]) -> Int? {
    guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
    var count = 1
    for extent in shape where extent != 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || product > Int.max / largestElement { return nil }
      count = product
    }
    return shape.contains(0) ? 0 : count
  }

  /// Size in bytes of the widest element of any format.
  private static let largestElement = 8
}

/// A tensor and the name it has in its file.
public typealias NamedTensor = (name: String, tensor: HostTensor)

/// The weights of a network as stored in one file.
public struct Checkpoint: Sendable {
  /// The tensors by state-dict key; `module.` prefixes are stripped.
  public var tensors: [String: HostTensor]
  /// The keys of `tensors` in file order.
  public var order: [String]
  /// Class names by class index, if the file has them.
  public var classNames: [String]?
  /// Number of classes, if the file states it.
  public var classes: Int?
  /// The source of the weights, for messages: "ema, fp16", "state dict, fp32", "safetensors, fp32" …
  public var origin: String
  /// Short facts beside the weights: `__metadata__` of safetensors, scalars of a PyTorch checkpoint.
  public var metadata: [String: String]

  public init(
    tensors: [String: HostTensor] = [:], order: [String] = [], classNames: [String]? = nil, classes: Int? = nil,
    origin: String = "", metadata: [String: String] = [:]
  ) {
    self.tensors = tensors
    self.order = order
    self.classNames = classNames
    self.classes = classes
    self.origin = origin
    self.metadata = metadata
  }
}
