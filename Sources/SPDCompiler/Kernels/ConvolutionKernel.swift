import SPD

/// A kernel of whole convolutions: packed are its weights, in an order of its own, then the biases that sums start from, then for a
/// normalisation by phase four rows of scales and four of shifts, then for each activation with a parameter a row of it.
protocol ConvolutionKernel: PackingKernel {
  /// How it is cut, for people; empty where there is nothing to choose.
  var explanation: String { get }

  /// Floats of packed weights.
  func weightCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int

  /// What packs the weights of one part of the outputs, which begins at output `first`, for inference; `norm` is folded into them.
  func weightPacking(
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, in c: EmitC
  ) -> EmitC.PackingStatements
}

/// A kernel of convolutions that training has, too: weights are packed in every step, just before they are read.
protocol TrainingConvolutionKernel: ConvolutionKernel, TrainingPackingKernel {
  func trainingWeightPacking(of node: Node, _ op: Op.Convolution, in c: EmitC) -> String

  /// Templates of the functions that this calls.
  var weightPackingHelpers: [String] { get }
}

extension ConvolutionKernel {
  func packedCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int {
    weightCount(of: node, op, in: context) + node.paddedChannels * op.epilogue.biasRows
  }

  func packing(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> EmitC.PackingStatements {
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let width = node.paddedChannels
    let biases = biases(of: node, in: c)
    var result = EmitC.PackingStatements()
    var first = 0
    for part in op.parts {
      result += weightPacking(of: node, op, part, first: first, in: c)
      // What sums start from has the bias already; its place stays, so that a normalisation by phase lies where it always does.
      if !op.epilogue.addsAccumulator {
        result += EmitC.PackingStatements(
          "pack_bias",
          "pack_bias(\(biases), \(part.bias.map(c.tensor) ?? "NULL"), \(first), \(part.outputs), "
            + "\(c.norm(part.batchNorm)), thread, threads);")
      }
      if let norm = op.epilogue.stages.phaseNorm {
        result += c.packPhases(
          norm, channels: node.shape.channels, to: "\(biases) + \(width)", width: width)
      }
      first += part.outputs
    }
    for (row, activation) in op.epilogue.parametric {
      result += c.packParameter(of: activation, channels: node.shape.channels, to: "\(biases) + \(row * width)")
    }
    return result
  }

  /// The address of the biases.
  func biases(of node: Node, in c: EmitC) -> String { "\(c.packedBase) + \(c.name("B", node.id))" }
}

extension TrainingConvolutionKernel {
  var trainingHelpers: [String] { weightPackingHelpers + ["pack_training_bias"] }

  /// Statements that pack a step's weights and biases.
  func trainingPacking(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> String {
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let width = node.paddedChannels
    return trainingWeightPacking(of: node, op, in: c)
      + "pack_bias(\(biases(of: node, in: c)), \(width / channelBlock), "
      + "\(op.parts[0].bias.map(c.value) ?? "NULL"), \(op.parts[0].outputs), thread);\n"
  }
}

extension Op.Epilogue {
  /// Rows of packed biases; see `ConvolutionKernel`.
  fileprivate var biasRows: Int { firstParametricRow + stages.activations.count { $0.parameter != nil } }

  private var firstParametricRow: Int { stages.phaseNorm == nil ? 1 : 9 }

  /// Activations with a parameter, each with the row where it lies.
  var parametric: [(row: Int, activation: Op.Activation)] {
    stages.activations.filter { $0.parameter != nil }.enumerated().map { (firstParametricRow + $0, $1) }
  }
}

extension Node {
  /// Channels of the result, with those that fill its last block.
  var paddedChannels: Int { ChooseTile.ceilDivide(shape.channels, channelBlock) * channelBlock }

  /// Blocks of 16 channels that are read, each segment's on their own.
  var inputBlocks: Int { self[.input].segments.reduce(0) { $0 + ChooseTile.ceilDivide($1.channels, channelBlock) } }
}
