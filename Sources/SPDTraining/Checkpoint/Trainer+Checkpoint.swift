import SPDFormats
import SPDRuntime

extension Trainer {
  /// The optimiser's state arrays and their names in a file.
  private static let slots: [(name: String, array: Array)] = [
    ("momentum", .momentum), ("second", .secondMoments), ("sum", .sum),
  ]

  /// Returns a checkpoint with everything that the next step depends on.
  package func checkpoint(_ state: TrainingState) -> TrainingCheckpoint {
    var checkpoint = TrainingCheckpoint(weights: tensors(.values, network.parameters), state: state)
    let trained = network.parameters.filter { $0.group != .constant }
    for slot in Self.slots where self[slot.array] != nil && (slot.array != .sum || state.summed > 0) {
      checkpoint.optimizer[slot.name] = tensors(slot.array, trained)
    }
    if self[.average] != nil { checkpoint.average = tensors(.average, network.parameters) }
    return checkpoint
  }

  /// Restores the trainer from a checkpoint.
  ///
  /// - Parameter path: path of the checkpoint, for messages.
  package func restore(_ checkpoint: TrainingCheckpoint, path: String) throws {
    func fill(_ array: Array, _ tensors: [NamedTensor], _ parameters: [TrainedParameter]) throws {
      guard let floats = self[array] else { return }
      let known = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
      for parameter in parameters {
        guard let tensor = known[parameter.name], tensor.values.count == parameter.range.count else {
          throw FormatError(
            path: path, problem: "does not contain the values of \(parameter.name) that this run needs",
            remedy: "Resume with the settings of the original run")
        }
        for (index, value) in tensor.values.enumerated() { floats[parameter.range.lowerBound + index] = value }
      }
    }
    try fill(.values, checkpoint.weights, network.parameters)
    let trained = network.parameters.filter { $0.group != .constant }
    for slot in Self.slots {
      if slot.array == .sum, checkpoint.optimizer[slot.name] == nil { continue }
      try fill(slot.array, checkpoint.optimizer[slot.name] ?? [], trained)
    }
    try fill(.average, checkpoint.average, network.parameters)
  }

  /// Whether all values of a checkpoint are finite.
  package func isFinite(_ state: TrainingState) -> Bool {
    for array in [Array.values, .momentum, .secondMoments, .average] + (state.summed > 0 ? [.sum] : []) {
      // A sum of finite floats cannot overflow as Double.
      if let floats = self[array], !floats.reduce(0.0, { $0 + Double($1) }).isFinite { return false }
    }
    return true
  }

  private func tensors(_ array: Array, _ parameters: [TrainedParameter]) -> [NamedTensor] {
    guard let floats = self[array] else { return [] }
    return parameters.map { ($0.name, HostTensor(shape: $0.shape, values: Swift.Array(floats[$0.range]))) }
  }
}
