import SPD

/// The gradient of a 3×3 weight by Winograd's algorithm.
struct WeightGradientWinogradKernel: WeightGradientModule {
  var tile: WinogradGradientTile
  let template = "weight_gradient_winograd"

  static func choice(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> Kernel? {
    guard choose.options.algorithms != .exact, op.kernel == 3, op.stride == 1, op.dilation == 1, op.parts[0].bias == nil
    else { return nil }
    return WinogradGradientTile.choose(
      choose.graph.shape(of: node[.gradient]), inputBlocks: node.inputBlocks,
      outputBlocks: op.outputBlocks, target: choose.target
    ).map { .weightGradientWinograd($0) }
  }

  func needs(of node: Node, in context: KernelContext) -> KernelNeeds {
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    let shared = tile.sharedCount(
      context.graph.shape(of: node[.gradient]), inputBlocks: node.inputBlocks,
      outputBlocks: op.outputBlocks, context.target)
    return KernelNeeds(
      scratch: tile.group * tile.slab(context.target), shared: shared, overhangingTile: tile.size)
  }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    guard case .training(.weightGradient(let op)) = node.op else { mismatch(node) }
    let winograd = Winograd.of(size: tile.size)
    let holes =
      c.weightGradientHoles(node, op) + [
        "SEGMENTS": c.passes("TRANSFORM", over: node[.input].segments), "M": "\(tile.size)", "TILE": "\(tile.inputs)",
        "STRIP": "\(tile.vectors)",
        "TILES": "\(tile.tiles)", "GROUP": "\(tile.group)", "SHARE": "\(tile.share)",
        "V_PLANE": "\(tile.plane(blocks: tile.share))",
        "D_PLANE": "\(tile.plane(blocks: op.outputBlocks))",
      ]
    let transforms = EmitC.Support(
      template: "winograd_gradients",
      holes: [
        "M": "\(winograd.size)", "N": "\(winograd.edge)",
        "GRADIENT": winograd.gradientStatements.joined(separator: "\n    "),
        "KERNEL": winograd.kernelStatements.joined(separator: "\n    "),
      ])
    return EmitC.Invocation(holes: holes, support: [c.gradients, c.transforms(winograd), transforms]) {
      "\($0)(\(c.weightGradientSources(node, op)), \(c.address(node[.gradient].segments[0])), "
        + "(float *const[]){\(c.gradient(op.parts[0].weight))}, \(c.workspace(node)), scratch, thread, threads);\n"
    }
  }
}
