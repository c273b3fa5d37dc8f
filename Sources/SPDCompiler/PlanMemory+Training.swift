import SPD

extension PlanMemory {
  /// As `place`, with the gradient before a normalisation in the memory of the one after it, where nothing else reads
  /// that any more.
  static func placeInPlace(
    _ buffers: inout [Plan.Buffer], _ workspaces: inout [Plan.Workspace], _ gradients: inout [Plan.Gradient],
    _ steps: [Plan.Step], _ graph: Graph
  ) -> Int {
    let index = Dictionary(uniqueKeysWithValues: buffers.enumerated().map { ($1.node, $0) })
    var owner = Array(buffers.indices)
    for (position, step) in steps.enumerated() {
      guard let (from, to) = inPlace(step, position, graph),
        let old = index[from], let new = index[to], buffers[old].last == position, buffers[new].first == position
      else { continue }
      owner[new] = owner[old]
    }
    // Owners live as long as all that is in their memory, and have everyone's halo.
    for buffer in buffers.indices where owner[buffer] != buffer {
      buffers[owner[buffer]].last = max(buffers[owner[buffer]].last, buffers[buffer].last)
      buffers[owner[buffer]].layout.halo.formUnion(buffers[buffer].layout.halo)
    }
    var owners = buffers.indices.filter { owner[$0] == $0 }.map { buffers[$0] }
    let count = place(&owners, &workspaces, &gradients)
    let placed = Dictionary(uniqueKeysWithValues: owners.map { ($0.node, $0) })
    for buffer in buffers.indices {
      let home = placed[buffers[owner[buffer]].node]!
      buffers[buffer].offset = home.offset
      buffers[buffer].layout.halo = home.layout.halo
    }
    return count
  }

  /// The gradients that a step reads and, at the same places, stores.
  private static func inPlace(_ step: Plan.Step, _ position: Int, _ graph: Graph) -> (from: Node.ID, to: Node.ID)? {
    guard let node = step.node.map({ graph[$0] }), case .training(.normalizeGradient) = node.op,
      let destination = node.destinations?.first, !destination.adds, destination.segments.count == 1,
      let from = node.inputs[0].wholeNode(in: graph),
      let to = Operand(segments: destination.segments).wholeNode(in: graph),
      graph[from].shape == graph[to].shape
    else { return nil }
    return (from, to)
  }

  static func addState(to plan: inout Plan, maxTargets: Int) {
    let state = StateLayout(plan.graph)
    // The optimiser's sweep keeps a double for each of its units in the arena.
    if !plan.updatesInBackward {
      plan.arenaCount = max(plan.arenaCount, LossHoles.optimizerScratch(count: state.count))
    }
    plan.state = state
    plan.maxTargets = maxTargets
    if case .numbers(let shape) = plan.supervision { plan.maxTargets = shape.count }
  }

  /// Floats that all threads share within a step of an operation of training; see the templates.
  static func trainingCount(
    _ node: Node, _ op: Op.Training, _ kernel: Kernel, in graph: Graph, _ target: Target, maxTargets: Int
  ) -> Int {
    switch op {
    case .loss(.crossEntropy): return LossHoles.crossEntropyScratch(images: graph.input.shape.batch)
    case .loss(.yolo(let boxes)):
      return LossHoles.yoloScratch(
        node.inputs.map { graph.shape(of: $0) }, anchors: boxes.anchorsPerLevel, maxTargets: maxTargets)
    case .loss(.composed): return LossHoles.composedScratch(graph.shape(of: node.inputs[0]))
    case .statistics(let norm):
      let shape = graph.shape(of: node.inputs[0])
      return slotCount(chunks(shape), phases: norm.phases, channels: shape.channels)
    case .batchNormBackwardReduce(let op):
      return chunkCount(graph.shape(of: node.inputs[0]), phases: op.norm?.phases ?? 1)
    case .weightGradient(let op): return weightGradientCount(node, op, kernel, in: graph, target)
    default: return 0
    }
  }

  /// Rows of all images that are summed up on their own: what fits into the first-level cache, block by block.
  static func chunkRows(_ shape: Shape) -> Int { max(2, 256 / shape.width / 2 * 2) }

  static func chunks(_ shape: Shape) -> Int { ChooseTile.ceilDivide(shape.batch * shape.height, chunkRows(shape)) }

  private static func chunkCount(_ shape: Shape, phases: Int) -> Int {
    2 * chunks(shape) * phases * roundUp(shape.channels)
  }

  private static func sumCount(
    _ node: Node, _ op: Op.Convolution, _ tile: WeightGradientTile, _ blocks: Int, _ target: Target
  ) -> Int {
    guard tile.chunks > 1 else { return 0 }
    let biases = op.parts[0].bias == nil ? 0 : 1
    return tile.chunks * tile.strips(outputBlocks: blocks, target) * (inputBlocks(node) + biases)
      * tile.slab(op, target)
  }

  private static func weightGradientCount(
    _ node: Node, _ op: Op.Convolution, _ kernel: Kernel, in graph: Graph, _ target: Target
  ) -> Int {
    let blocks = ChooseTile.ceilDivide(op.outputs, channelBlock)
    switch kernel {
    case .weightGradient(let tile):
      return sumCount(node, op, tile, blocks, target)
    case .weightGradientWinograd(let tile):
      return tile.sharedCount(
        graph.shape(of: node.inputs[1]), inputBlocks: inputBlocks(node), outputBlocks: blocks, target)
    case .weightGradientImage(let scale, let chunks):
      let taps = op.kernel.area * scale * scale * graph.input.shape.channels
      return blocks * chunks * (taps + 1) * channelBlock
    default: return 0
    }
  }
}
