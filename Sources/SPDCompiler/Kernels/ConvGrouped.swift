import SPD

/// One input for each output, by blocks of 16 channels.
struct ConvDepthwiseKernel: GroupedConvolution {
  let template = "conv_depthwise"

  static func base(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> BaseConvolution? {
    let inputs = choose.graph.shape(of: node[.input]).channels
    guard op.groups > 1, op.groups == inputs, op.groups == op.outputs else { return nil }
    return BaseConvolution(kernel: .convDepthwise)
  }

  /// [tap][output]
  func weightCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int {
    node.paddedChannels * op.kernel.area
  }

  let isDepthwise = true

  func holes(_ op: Op.Convolution, inputs: Int) -> [String: String] { [:] }
}

/// Groups that begin or end inside of a block of 16 channels.
struct ConvGroupedKernel: GroupedConvolution {
  let template = "conv_grouped"

  static func base(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> BaseConvolution? {
    let inputs = choose.graph.shape(of: node[.input]).channels
    guard op.groups > 1, (inputs / op.groups) % channelBlock != 0 || (op.outputs / op.groups) % channelBlock != 0 else {
      return nil
    }
    return BaseConvolution(kernel: .convGrouped)
  }

  /// Weights in the order of the file.
  func weightCount(of node: Node, _ op: Op.Convolution, in context: KernelContext) -> Int {
    let inputs = context.graph.shape(of: node[.input]).channels / op.groups
    return PlanMemory.roundUp(op.outputs * inputs * op.kernel.area)
  }

  let isDepthwise = false

  func holes(_ op: Op.Convolution, inputs: Int) -> [String: String] {
    ["INPUTS": "\(inputs)", "OUTPUTS": "\(op.outputs)", "GROUPS": "\(op.groups)"]
  }
}

/// What the two have in common.
protocol GroupedConvolution: BaseConvolutionKernel {
  var isDepthwise: Bool { get }
  /// Values for its own holes, for a convolution that reads so many channels.
  func holes(_ op: Op.Convolution, inputs: Int) -> [String: String]
}

extension GroupedConvolution {
  var explanation: String { "" }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .convolution(let op) = node.op else { mismatch(node) }
    return KernelNeeds(packed: packedCount(of: node, op, in: context))
  }

  func weightPacking(
    of node: Node, _ op: Op.Convolution, _ part: Op.Convolution.Part, first: Int, in c: EmitC
  ) -> EmitC.PackingStatements {
    let perGroup = c.graph.shape(of: node[.input]).channels / op.groups
    return EmitC.PackingStatements(
      "pack_grouped",
      "pack_grouped(\(c.packedAddress(node.id)), \(isDepthwise ? 1 : 0), \(perGroup), \(op.kernel.area), \(c.tensor(part.weight)), "
        + "\(part.outputs), \(c.norm(part.batchNorm)), thread, threads);")
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .convolution(let op) = node.op else { mismatch(node) }
    let y = c.layout(node.id)
    let residual = c.residual(node)
    let segment = node[.input].segments[0]
    let x = c.layout(segment.node)
    let holes: [String: String] =
      [
        "IMAGES": "\(node.shape.batch)", "OUT_ROWS": "\(node.shape.height)", "OUT_COLS": "\(node.shape.width)",
        "OUT_BLOCKS": "\(y.blocks)", "KH": "\(op.kernel.height)", "KW": "\(op.kernel.width)",
        "X_IMAGE": "\(x.imageStride)", "X_BLOCK": "\(x.blockStride)", "TAP_ROW": "\(x.rowStride * op.dilation.height)",
        "TAP_COL": "\(x.columnStride * op.dilation.width)", "ROW_STEP": "\(x.rowStride * op.stride.height)",
        "PIXEL_STEP": "\(x.columnStride * op.stride.width)",
      ] + c.strides("Y", y) + c.epilogue(op.epilogue, in: c.scope(node, residual.layout)).holes
      + self.holes(op, inputs: segment.channels)
    let from = c.address(segment, rowsBefore: op.padding.height, columnsBefore: op.padding.width)
    let (weights, biases) = (c.packedAddress(node.id), biases(of: node, in: c))
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers([from])), \(weights), \(biases), \(residual.address), \(c.address(node.id)), thread, threads);\n"
    }
  }
}
