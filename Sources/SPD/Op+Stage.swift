extension Op {
  /// What happens to a value between its computation and its being stored.
  public enum Stage: Hashable, Sendable {
    /// A batch normalisation hoisted over a space-to-depth: scale and shift by row and column phase.
    case normalizeByPhase(BatchNorm)
    case activate(Activation)
    /// Adds the node's operand `summand`, a tensor of the result's shape.
    case add
    /// Training only: mean and variance of the stored result are gathered for the batch normalisation that reads it.
    case gatherStatistics
  }
}

extension [Op.Stage] {
  public var addsSummand: Bool { contains(.add) }
  public var gathersStatistics: Bool { contains(.gatherStatistics) }

  public var phaseNorm: Op.BatchNorm? {
    for case .normalizeByPhase(let norm) in self { return norm }
    return nil
  }

  public var activations: [Op.Activation] {
    compactMap { if case .activate(let activation) = $0 { activation } else { nil } }
  }

  /// The activation before the sum, or the only one.
  public var activation: Op.Activation? { Array(prefix { $0 != .add }).activations.first }

  /// The activation after the sum.
  public var finalActivation: Op.Activation? { Array(drop { $0 != .add }).activations.first }
}

/// The stages in a graph file: a key for each, in the only order that passes make.
enum StageKey: String, CodingKey {
  case phaseNorm, activation, addsResidual, finalActivation, gathersStatistics
  case addsAccumulator, norm
  /// As graph files of earlier versions call `addsAccumulator`.
  case addsStart
}

extension [Op.Stage] {
  /// What a file does not name is absent.
  init(from values: KeyedDecodingContainer<StageKey>) throws {
    self = []
    if let norm = try values.decodeIfPresent(Op.BatchNorm.self, forKey: .phaseNorm) { append(.normalizeByPhase(norm)) }
    if let f = try values.decodeIfPresent(Op.Activation.self, forKey: .activation) { append(.activate(f)) }
    let adds = try values.decodeIfPresent(Bool.self, forKey: .addsResidual) ?? false
    if adds { append(.add) }
    if let f = try values.decodeIfPresent(Op.Activation.self, forKey: .finalActivation) {
      guard adds else {
        throw DecodingError.dataCorruptedError(
          forKey: .finalActivation, in: values, debugDescription: "a final activation follows a residual")
      }
      append(.activate(f))
    }
    if try values.decodeIfPresent(Bool.self, forKey: .gathersStatistics) ?? false { append(.gatherStatistics) }
  }

  func encode(to values: inout KeyedEncodingContainer<StageKey>) throws {
    let written = [phaseNorm != nil, activation != nil, addsSummand, finalActivation != nil, gathersStatistics]
    precondition(count == written.count { $0 }, "a graph file has no keys for \(self)")
    try values.encodeIfPresent(phaseNorm, forKey: .phaseNorm)
    try values.encodeIfPresent(activation, forKey: .activation)
    try values.encode(addsSummand, forKey: .addsResidual)
    try values.encodeIfPresent(finalActivation, forKey: .finalActivation)
  }
}
