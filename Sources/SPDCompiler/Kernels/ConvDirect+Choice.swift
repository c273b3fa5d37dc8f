import SPD

extension ConvDirectKernel: BaseConvolutionKernel, ImageJoiningKernel {
  static func base(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> BaseConvolution? {
    let problem = problem(node, op)
    let tile = ChooseTile.tile(problem, target: choose.target)
    let variants = ChooseTile.variants(of: tile, problem, target: choose.target)
    return BaseConvolution(
      kernel: .convDirect(tile), variants: variants.map { .convDirect($0) },
      cycles: ChooseTile.cycles(tile, problem, target: choose.target))
  }

  private static func problem(_ node: Node, _ op: Op.Convolution) -> ChooseTile.Problem {
    var shape = node.shape
    // Each group is a convolution of its own.
    if op.groups != 1 { shape.channels = op.outputs / op.groups }
    let segments = node[.input].segments
    let pixels = shape.batch * shape.height * shape.width
    func blocks(_ segment: Segment) -> Int { ChooseTile.ceilDivide(segment.channels, channelBlock) / op.groups }
    return ChooseTile.Problem(
      output: shape, depth: node.inputBlocks / op.groups * channelBlock * op.kernel.area,
      repeats: (segments + node.startSegments).reduce(1) { leastCommonMultiple($0, $1.upsampling) },
      sourceBytes: segments.reduce(0) {
        $0 + blocks($1) * channelBlock * 4 * pixels / ($1.upsampling * $1.upsampling)
      })
  }

  private static func leastCommonMultiple(_ a: Int, _ b: Int) -> Int { a / greatestCommonDivisor(a, b) * b }
  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

  /// Nil where a tile does not hold all rows of an image, and if another tile than the model's choice was measured to be faster.
  func joined(_ node: Node, _ op: Op.Convolution, target: Target) -> Kernel? {
    var problem = Self.problem(node, op)
    guard tile.rows == node.shape.height, tile == ChooseTile.tile(problem, target: target) else { return nil }
    problem.output.height *= problem.output.batch
    problem.output.batch = 1
    var tile = ChooseTile.tile(problem, target: target)
    tile.joinsImages = true
    return .convDirect(tile)
  }
}
