import SPD

/// The gradient of a 1×1 weight: a product of two matrices, whose panels of pixels are copied side by side.
struct WeightGradient1x1Kernel: WeightGradientModule {
  var tile: WeightGradient1x1Tile
  let template = "weight_gradient_1x1"

  static func choice(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> Kernel? {
    WeightGradient1x1Tile.choose(
      op, choose.graph.shape(of: node[.gradient]), isUpsampled: node[.input].segments.contains { $0.upsampling > 1 },
      inputBlocks: node.inputBlocks, outputBlocks: op.outputBlocks,
      target: choose.target
    ).map { .weightGradient1x1($0) }
  }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    return KernelNeeds(scratch: tile.scratchCount(op, context.target))
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    let holes =
      c.weightGradientHoles(node, op) + [
        "SEGMENTS": c.passes("PACK", over: node[.input].segments, stride: op.stride), "TILE": "\(tile.inputs)",
        "STRIP": "\(tile.vectors)", "PANEL": "\(tile.panel)", "ACROSS": "\(tile.across)", "TURNS": "\(tile.turns)",
        "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ]
    return EmitC.Invocation(holes: holes, support: [c.gradients]) {
      "\($0)(\(c.weightGradientArguments(node, op)), scratch, thread, threads);\n"
    }
  }
}
