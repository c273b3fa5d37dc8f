import SPD

extension ConvWinogradKernel: FastConvolutionKernel {
  static func candidates(
    for node: Node, _ op: Op.Convolution, insteadOf base: Kernel, cycles: Double, in choose: ChooseKernels
  ) -> (faster: [Kernel], slower: [Kernel]) {
    guard suits(op), let problem = problem(node, insteadOf: base, in: choose) else { return ([], []) }
    func kernel(_ tile: WinogradTile) -> Kernel {
      (base.module as? ConvImageKernel).map { .convImageWinograd(tile, scale: $0.scale) } ?? .convWinograd(tile)
    }
    // In the backward pass there is no ReLU to turn.
    let largest = op.adjoint == nil ? choose.largestTile : max(choose.largestTile, 4)
    let all = ChooseWinograd.candidates(problem, target: choose.target).filter { $0.size <= largest }
    if choose.options.algorithms == .lowMemory {
      // Only weights of the size that the budget has room for.
      guard let allowed = choose.allowed[node.id] else { return ([], []) }
      return (([allowed] + all.filter { $0.size == allowed.size && $0 != allowed }).map(kernel), [])
    }
    let tried = all.prefix(6)
    let better = tried.prefix { ChooseWinograd.cycles($0, problem, target: choose.target) < cycles }
    return (better.map(kernel), tried.dropFirst(better.count).map(kernel))
  }

  private static func suits(_ op: Op.Convolution) -> Bool {
    op.kernel == 3 && op.stride == 1 && op.dilation == 1 && op.groups == 1 && op.totalInputChannels == nil
      && !op.epilogue.addsAccumulator
  }

  /// Nil if the inputs do not suit Winograd: an image's channels and phases must fit into one block.
  private static func problem(
    _ node: Node, insteadOf base: Kernel, in choose: ChooseKernels
  ) -> ChooseWinograd.Problem? {
    let packsWeights = choose.options.packsWeights
    guard let image = base.module as? ConvImageKernel else {
      return ChooseWinograd.Problem(output: node.shape, inputBlocks: node.inputBlocks, packsWeights: packsWeights)
    }
    guard choose.graph.input.shape.channels * image.scale * image.scale <= channelBlock else { return nil }
    return ChooseWinograd.Problem(output: node.shape, inputBlocks: 1, isImage: true, packsWeights: packsWeights)
  }

  /// Chooses, for low memory, the variants that save most cycles per byte of larger weights, for a sixteenth more bytes in all.
  static func allowedWithinBudget(_ choose: ChooseKernels) -> [Node.ID: WinogradTile] {
    struct Offer {
      var node: Node.ID, tile: WinogradTile, saved: Double, bytes: Int
    }
    var offers: [Offer] = []
    var budget = 0
    for node in choose.graph.nodes {
      guard case .convolution(let op) = node.op else { continue }
      let base = choose.base(node, op)
      guard let direct = base.kernel.module as? ConvDirectKernel, let cycles = base.cycles else { continue }
      let bytes = 4 * direct.needs(of: node, in: choose.context).packed
      budget += bytes / 16
      guard suits(op), let problem = problem(node, insteadOf: base.kernel, in: choose) else { continue }
      for tile in ChooseWinograd.candidates(problem, target: choose.target) {
        let saved = cycles - ChooseWinograd.cycles(tile, problem, target: choose.target)
        let extra = ChooseWinograd.weightBytes(tile, problem) - bytes
        if saved > 0 { offers.append(Offer(node: node.id, tile: tile, saved: saved, bytes: extra)) }
      }
    }
    var allowed: [Node.ID: WinogradTile] = [:]
    for offer in offers.sorted(by: { $0.saved * Double($1.bytes) > $1.saved * Double($0.bytes) })
    where allowed[offer.node] == nil && offer.bytes <= budget {
      allowed[offer.node] = offer.tile
      budget -= offer.bytes
    }
    return allowed
  }
}
