import SPD

extension ConvImageKernel: BaseConvolutionKernel {
  /// Nil where lowering has copied the image into blocks.
  static func base(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> BaseConvolution? {
    guard ViewRules.readsImage(node[.input], in: choose.graph),
      let scale = ViewRules.imageScale(node[.input], in: choose.graph)
    else { return nil }
    let input = choose.graph.input.shape
    let problem = ChooseTile.Problem(
      output: node.shape, depth: input.channels * op.kernel.area * scale * scale, sourceBytes: 4 * input.count)
    let tile = ChooseTile.tile(problem, target: choose.target)
    let variants = ChooseTile.tiles(otherThan: tile, problem, target: choose.target)
    return BaseConvolution(
      kernel: .convImage(tile, scale: scale), variants: variants.map { .convImage($0, scale: scale) },
      cycles: ChooseTile.cycles(tile, problem, target: choose.target))
  }
}
