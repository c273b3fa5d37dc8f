/// The part that an operand plays in the operation that reads it.
public enum OperandRole: Hashable, Sendable {
  /// What the operation is applied to; of a concat, of boxes and of a loss there are several.
  case input
  /// What the sums of a convolution start from.
  case start
  /// What is added: the second term of a sum, or the operand of a stage.
  case summand
  /// Mean, 1/√(variance + ε) and what follows from them, as the statistics of a batch.
  case statistics
  /// The gradient of the result.
  case gradient
  /// The sums of a normalisation's gradient.
  case sums
  /// What the forward pass computed.
  case result
}

extension Op {
  /// The parts of the operands, in the order in which a node lists them; nil where all are inputs.
  public var roles: [OperandRole]? {
    switch self {
    case .input: []
    case .convolution(let op):
      [.input] + (op.epilogue.addsAccumulator ? [.start] : []) + op.epilogue.stages.roles
    case .add: [.input, .summand]
    case .batchNorm, .activation, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten, .linear,
      .softmax, .copy:
      [.input]
    case .concat, .decodeBoxes, .training(.loss): nil
    case .training(.statistics): [.input]
    case .training(.normalize(let op)): [.input] + (op.norm == nil ? [] : [.statistics]) + op.stages.roles
    case .training(.gradient): []
    case .training(.weightGradient): [.input, .gradient]
    case .training(.batchNormBackwardReduce(let op)): [.gradient, .input, .statistics] + op.resultRole
    case .training(.normalizeGradient(let op)):
      [.gradient, .input] + (op.norm == nil ? [] : [.statistics, .sums]) + op.resultRole
    case .training(.activationGradient): [.gradient, .input]
    case .training(.poolGradient): [.gradient, .input, .result]
    case .training(.globalAverageGradient), .training(.copyGradient): [.gradient]
    }
  }
}

extension [Op.Stage] {
  fileprivate var roles: [OperandRole] { filter { $0 == .add }.map { _ in .summand } }
}

extension Op.Normalize {
  /// The derivative of a final activation follows from the result.
  fileprivate var resultRole: [OperandRole] { stages.finalActivation == nil ? [] : [.result] }
}

extension Node {
  /// Where the operand of a role is in `inputs`; nil if the node reads none.
  public func index(of role: OperandRole) -> Int? {
    guard let roles = op.roles else { return role == .input && !inputs.isEmpty ? 0 : nil }
    return roles.firstIndex(of: role).flatMap { $0 < inputs.count ? $0 : nil }
  }

  /// The operand of a role that the node reads if its operation has it.
  public func operand(_ role: OperandRole) -> Operand? { index(of: role).map { inputs[$0] } }

  /// The operand of a role that the node must read.
  public subscript(role: OperandRole) -> Operand {
    get { inputs[position(of: role)] }
    set { inputs[position(of: role)] = newValue }
  }

  /// Adds the operand of a role that the operation has got.
  public mutating func insert(_ operand: Operand, as role: OperandRole) {
    guard let position = op.roles?.lastIndex(of: role) else { preconditionFailure("\(op.name) has no \(role)") }
    inputs.insert(operand, at: position)
  }

  private func position(of role: OperandRole) -> Int {
    guard let index = index(of: role) else { preconditionFailure("\(op.name) has no \(role)") }
    return index
  }
}
