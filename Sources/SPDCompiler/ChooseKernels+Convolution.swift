import SPD

extension ChooseKernels {
  /// What was learned about a convolution, else what should be fastest.
  func convolution(_ node: Node, _ op: Op.Convolution) -> Kernel {
    let candidates = convolutions(node, op)
    // It may have been learned by a version that had other candidates.
    if !options.learned.isEmpty, let learned = options.learned[problemKey(node)], candidates.contains(learned) {
      return learned
    }
    return candidates[0]
  }

  /// Kernels that can compute a convolution and are worth measuring, about ten, the one that should be fastest first.
  func convolutions(_ node: Node, _ op: Op.Convolution) -> [Kernel] {
    let direct = direct(node, op)
    let variants = directVariants(node, op, of: direct)
    guard options.algorithms != .exact, Self.suitsWinograd(op), let problem = winogradProblem(node, direct),
      let limit = directCycles(node, op, direct)
    else { return [direct] + variants }
    func kernel(_ tile: WinogradTile) -> Kernel {
      if case .convImage(_, let scale) = direct { return .convImageWinograd(tile, scale: scale) }
      return .convWinograd(tile)
    }
    // In the backward pass there is no ReLU to turn.
    let largest = op.adjoint == nil ? largestTile : max(largestTile, 4)
    let all = ChooseWinograd.candidates(problem, target: target).filter { $0.size <= largest }
    if options.algorithms == .lowMemory {
      // Only weights of the size that the budget has room for.
      guard let allowed = allowed[node.id] else { return [direct] + variants }
      let others = all.filter { $0.size == allowed.size && $0 != allowed }
      return [kernel(allowed)] + others.map(kernel) + [direct] + variants.prefix(3)
    }
    let tried = all.prefix(6)
    let better = tried.prefix { ChooseWinograd.cycles($0, problem, target: target) < limit }
    return better.map(kernel) + [direct] + tried.dropFirst(better.count).map(kernel) + variants.prefix(3)
  }

  private func directCycles(_ node: Node, _ op: Op.Convolution, _ direct: Kernel) -> Double? {
    switch direct {
    case .convDirect(let tile): ChooseTile.cycles(tile, directProblem(node, op), target: target)
    case .convImage(let tile, let scale):
      ChooseTile.cycles(tile, imageProblem(node, op, scale: scale), target: target)
    default: nil
    }
  }

  private static func suitsWinograd(_ op: Op.Convolution) -> Bool {
    op.kernel == 3 && op.stride == 1 && op.dilation == 1 && op.groups == 1 && op.totalInputChannels == nil
      && !op.epilogue.addsAccumulator
  }

  /// Nil if the inputs do not suit Winograd: an image's channels and phases must fit into one block.
  private func winogradProblem(_ node: Node, _ direct: Kernel) -> ChooseWinograd.Problem? {
    guard case .convImage(_, let scale) = direct else {
      return ChooseWinograd.Problem(
        output: node.shape, inputBlocks: PlanMemory.inputBlocks(node), packsWeights: options.packsWeights)
    }
    guard graph.input.shape.channels * scale * scale <= channelBlock else { return nil }
    return ChooseWinograd.Problem(
      output: node.shape, inputBlocks: 1, isImage: true, packsWeights: options.packsWeights)
  }

  /// The Winograd variants that save most cycles per byte of larger weights, for a sixteenth more bytes in all.
  func allowedWithinBudget() -> [Node.ID: WinogradTile] {
    struct Offer {
      var node: Node.ID, tile: WinogradTile, saved: Double, bytes: Int
    }
    var offers: [Offer] = []
    var budget = 0
    for node in graph.nodes {
      guard case .convolution(let op) = node.op, case .convDirect(let direct) = direct(node, op) else { continue }
      let bytes = 4 * PlanMemory.packedCount(node, .convDirect(direct), in: graph)
      budget += bytes / 16
      guard Self.suitsWinograd(op), let problem = winogradProblem(node, .convDirect(direct)) else { continue }
      let cycles = ChooseTile.cycles(direct, directProblem(node, op), target: target)
      for tile in ChooseWinograd.candidates(problem, target: target) {
        let saved = cycles - ChooseWinograd.cycles(tile, problem, target: target)
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

  func direct(_ node: Node, _ op: Op.Convolution) -> Kernel {
    let operand = node.inputs[0]
    if let scale = imageScale(node) {
      let tile = ChooseTile.tile(imageProblem(node, op, scale: scale), target: target)
      return .convImage(tile, scale: scale)
    }
    if op.groups != 1 {
      let inputs = graph.shape(of: operand).channels
      if op.groups == inputs, op.groups == op.outputs { return .convDepthwise }
      guard (inputs / op.groups) % channelBlock == 0, (op.outputs / op.groups) % channelBlock == 0 else {
        return .convGrouped
      }
    }
    return .convDirect(ChooseTile.tile(directProblem(node, op), target: target))
  }

  /// The same algorithm, cut in other ways; none where there is nothing to cut.
  private func directVariants(_ node: Node, _ op: Op.Convolution, of direct: Kernel) -> [Kernel] {
    switch direct {
    case .convDirect(let tile):
      ChooseTile.variants(of: tile, directProblem(node, op), target: target).map { .convDirect($0) }
    case .convImage(let tile, let scale):
      ChooseTile.tiles(otherThan: tile, imageProblem(node, op, scale: scale), target: target)
        .map { .convImage($0, scale: scale) }
    default: []
    }
  }

  private func imageProblem(_ node: Node, _ op: Op.Convolution, scale: Int) -> ChooseTile.Problem {
    let input = graph.input.shape
    return ChooseTile.Problem(
      output: node.shape, depth: input.channels * op.kernel.area * scale * scale, sourceBytes: 4 * input.count)
  }

  func directProblem(_ node: Node, _ op: Op.Convolution) -> ChooseTile.Problem {
    var shape = node.shape
    // Each group is a convolution of its own.
    if op.groups != 1 { shape.channels = op.outputs / op.groups }
    let segments = node.inputs[0].segments
    let pixels = shape.batch * shape.height * shape.width
    func blocks(_ segment: Segment) -> Int { ChooseTile.ceilDivide(segment.channels, channelBlock) / op.groups }
    return ChooseTile.Problem(
      output: shape, depth: PlanMemory.inputBlocks(node) / op.groups * channelBlock * op.kernel.area,
      repeats: (segments + op.startSegments(node)).reduce(1) { leastCommonMultiple($0, $1.upsampling) },
      sourceBytes: segments.reduce(0) {
        $0 + blocks($1) * channelBlock * 4 * pixels / ($1.upsampling * $1.upsampling)
      })
  }

  private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int { a / greatestCommonDivisor(a, b) * b }
  private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

  /// Set if the image kernel computes this convolution; else lowering has copied the image into blocks.
  private func imageScale(_ node: Node) -> Int? {
    ViewRules.readsImage(node.inputs[0], in: graph) ? ViewRules.imageScale(node.inputs[0], in: graph) : nil
  }
}
