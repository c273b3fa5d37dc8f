/// An array in host memory: row-major float32 values and the shape that orders them.
public struct HostTensor: Sendable, Equatable {
  /// Extents, outermost first; empty for a scalar. Every extent is zero or more.
  public var shape: [Int]
  /// The elements, row-major: the last axis varies fastest. As many as the product of `shape`.
  public var values: [Float]

  public init(shape: [Int], values: [Float]) {
    self.shape = shape
    self.values = values
  }
}

extension HostTensor {
  /// The product of `shape`, or nil for a shape that no array has: an extent is negative, or the elements are more than
  /// memory can address. Extents of zero make an array empty; as in numpy, the others must have a product all the same.
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

  /// Bytes of the widest element of any format.
  private static let largestElement = 8
}

/// A tensor and the name it has in its file.
public typealias NamedTensor = (name: String, tensor: HostTensor)

/// The weights of a network as one file holds them.
public struct Checkpoint: Sendable {
  /// Every tensor by its state-dict key; `module.` prefixes are stripped.
  public var tensors: [String: HostTensor]
  /// The keys of `tensors` in the order of the file.
  public var order: [String]
  /// The names of the classes, by class index, where the file has them.
  public var classNames: [String]?
  /// The number of classes, where the file says it.
  public var classes: Int?
  /// Where the weights came from, for messages: "ema, fp16", "state dict, fp32", "safetensors, fp32" …
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
