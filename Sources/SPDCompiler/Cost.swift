import SPD

/// What a node costs, counted as the formulas have it and not as a kernel may save.
public struct Cost: Codable, Equatable, Sendable {
  /// Two per multiply-accumulate; only convolutions and linear layers count.
  public var flops = 0
  /// Bytes of activations read and written, each view once.
  public var activationBytes = 0
  /// Bytes of parameters.
  public var parameterBytes = 0

  public init() {}

  public static func += (a: inout Cost, b: Cost) {
    a.flops += b.flops
    a.activationBytes += b.activationBytes
    a.parameterBytes += b.parameterBytes
  }
}

extension Graph {
  public func cost(of node: Node) -> Cost {
    var cost = Cost()
    guard node.op != .input else { return cost }
    cost.activationBytes = 4 * (node.shape.count + node.inputs.reduce(0) { $0 + readCount($1) })
    cost.parameterBytes = 4 * node.op.parameterNames.reduce(0) { $0 + (parameter($1)?.count ?? 0) }
    switch node.op {
    case .convolution(let op):
      let inputs = shape(of: node[.input]).channels
      cost.flops = 2 * node.shape.count * inputs / op.groups * op.kernel.area
      if let all = op.totalInputChannels { cost.parameterBytes -= 4 * op.outputs * (all - inputs) * op.kernel.area }
    case .training(.weightGradient(let op)):
      cost.flops = 2 * shape(of: node[.gradient]).count * shape(of: node[.input]).channels * op.kernel.area
    case .linear:
      cost.flops = 2 * node.shape.count * shape(of: node[.input]).channels
    case .input, .batchNorm, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool,
      .flatten, .softmax, .decodeBoxes, .copy, .training:
      break
    }
    return cost
  }

  public var cost: Cost {
    nodes.reduce(into: Cost()) { $0 += cost(of: $1) }
  }

  /// Values that an operand takes from memory: an upsampled pixel counts once.
  private func readCount(_ operand: Operand) -> Int {
    operand.segments.reduce(0) { sum, segment in
      let source = self[segment.node].shape
      return sum + source.batch * segment.channels * (source.height / segment.step) * (source.width / segment.step)
    }
  }
}
