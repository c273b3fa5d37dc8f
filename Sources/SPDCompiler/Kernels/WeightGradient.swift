import SPD

/// The gradient of a weight by tiles of inputs and outputs that run over bands of pixels.
struct WeightGradientKernel: WeightGradientModule {
  var tile: WeightGradientTile
  let template = "weight_gradient"

  static func choice(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> Kernel? {
    .weightGradient(
      WeightGradientTile.choose(
        op, choose.graph.shape(of: node[.gradient]), inputBlocks: node.inputBlocks,
        outputBlocks: op.outputBlocks, target: choose.target))
  }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    // Sums of chunks of pixels wait for each other; those of all pixels stay with the thread that adds them up.
    guard tile.chunks > 1 else { return KernelNeeds(scratch: tile.group * tile.slab(op, context.target)) }
    let strips = tile.strips(outputBlocks: op.outputBlocks, context.target)
    let lines = node.inputBlocks + (op.parts[0].bias == nil ? 0 : 1)
    return KernelNeeds(shared: tile.chunks * strips * lines * tile.slab(op, context.target))
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    let holes =
      c.weightGradientHoles(node, op) + [
        "SEGMENTS": c.accumulations(node[.input].segments, op), "KH": "\(op.kernel.height)",
        "KW": "\(op.kernel.width)",
        "TILE": "\(tile.inputs)", "STRIP": "\(tile.vectors)",
        "BAND": "\(tile.rows)", "GROUP": "\(tile.group)", "ACROSS": "\(tile.across)", "CHUNKS": "\(tile.chunks)",
        "FETCH": tile.fetches ? "1" : "0", "BIAS": op.parts[0].bias == nil ? "0" : "1",
      ]
    return EmitC.Invocation(holes: holes, support: [c.gradients]) {
      "\($0)(\(c.weightGradientArguments(node, op)), \(c.workspace(node)), "
        + "\(tile.chunks > 1 ? "NULL" : "scratch"), thread, threads);\n"
    }
  }
}
