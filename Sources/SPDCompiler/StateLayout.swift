import SPD

/// Where a trainer's parameters lie: all of them one after the other in state-dict order, each at a multiple of 64 bytes.
///
/// Gradients, momentum and averages are arrays of the same layout.
public struct StateLayout: Codable, Equatable, Sendable {
  public struct Entry: Codable, Equatable, Sendable {
    public var name: String
    /// In floats.
    public var offset: Int
    public var count: Int
    /// PyTorch's; empty for a scalar.
    public var shape: [Int]
    /// Weights 0, slopes of activations among them, biases 1, those of normalisations (β) among them, scales of
    /// normalisations (γ) 2: recipes differ in which of them decay, and YOLOv5's in how biases begin. What is not trained
    /// has −1.
    public var group: Int
    /// Whether the EMA of a training run has it too: everything but constants.
    public var isAveraged: Bool
  }

  public var entries: [Entry] = []
  /// Floats in all, a multiple of 16.
  public var count = 0

  public init(_ graph: Graph) {
    for parameter in graph.storedParameters {
      entries.append(
        Entry(
          name: parameter.name, offset: count, count: parameter.count, shape: parameter.shape,
          group: parameter.role.group, isAveraged: parameter.role.isRequired))
      count += PlanMemory.roundUp(parameter.count)
    }
  }

  public func offset(of name: String) -> Int {
    guard let entry = entries.first(where: { $0.name == name }) else { preconditionFailure("no parameter \(name)") }
    return entry.offset
  }
}

extension Parameter.Role {
  fileprivate var group: Int {
    switch self {
    case .weight, .slope: 0
    case .bias, .normBias: 1
    case .normWeight: 2
    case .runningMean, .runningVariance, .batchesTracked, .constant: -1
    }
  }
}

extension Graph {
  /// Parameters that the parameter file holds, in its order.
  public var storedParameters: [Parameter] { parameters.filter { $0.role != .batchesTracked } }
}
