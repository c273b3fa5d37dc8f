import SPD

/// Where a trainer's parameters lie: all of them one behind the other in state-dict order, each at a multiple of 64 bytes.
///
/// Gradients, momentum and averages are arrays of the same layout.
public struct StateLayout: Codable, Equatable, Sendable {
  public struct Entry: Codable, Equatable, Sendable {
    public var name: String
    /// In floats.
    public var offset: Int
    public var count: Int
    public var isTrainable: Bool
    /// False for biases and the parameters of normalisations, which some recipes do not decay.
    public var isWeight: Bool
  }

  public var entries: [Entry] = []
  /// Floats in all, a multiple of 16.
  public var count = 0

  public init(_ graph: Graph) {
    for parameter in EmitC.storedParameters(graph) {
      entries.append(
        Entry(
          name: parameter.name, offset: count, count: parameter.count, isTrainable: parameter.role.isTrainable,
          isWeight: parameter.role == .weight))
      count += PlanMemory.roundUp(parameter.count)
    }
  }

  public func offset(of name: String) -> Int {
    guard let entry = entries.first(where: { $0.name == name }) else { preconditionFailure("no parameter \(name)") }
    return entry.offset
  }
}
