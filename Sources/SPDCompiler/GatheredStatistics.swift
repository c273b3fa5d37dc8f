import SPD

// Statistics of a batch that a convolution gathers as it stores: a slot for each run of pixels, which the step of the statistics
// merges. See the template `statistics`.
extension PlanMemory {
  /// Slots that a convolution fills: one for each band of rows or group of Winograd's tiles.
  static func statisticsSlots(_ node: Node, _ kernel: Kernel) -> Int {
    let shape = node.shape
    switch kernel {
    case .convDirect(let tile):
      let (images, rows) = tile.joinsImages ? (1, shape.batch * shape.height) : (shape.batch, shape.height)
      return images * ChooseTile.ceilDivide(rows, tile.unitRows)
    case .convWinograd(let tile):
      let count = tile.count(shape)
      let (whole, rest) = (count / tile.tiles, count % tile.tiles)
      return whole * ChooseTile.ceilDivide(tile.tiles, tile.group) + ChooseTile.ceilDivide(rest, tile.group)
    default: preconditionFailure("\(kernel) gathers no statistics")
    }
  }

  /// Floats of slots: mean and squares for each value of a vector, and its number of values.
  static func slotCount(_ slots: Int, phases: Int, channels: Int) -> Int {
    slots * (2 * phases * roundUp(channels) + channelBlock)
  }

  /// For a step that merges gathered statistics, the step that gathers them and the floats of its slots.
  static func gathered(for index: Int, _ steps: [Plan.Step], _ choose: ChooseKernels) -> (step: Int, count: Int)? {
    guard steps[index].kernel == .statistics, let id = steps[index].node,
      let gathering = choose.graph.gatheringConvolution(of: choose.graph[id]),
      let step = steps.firstIndex(where: { $0.node == gathering.id })
    else { return nil }
    var slots = statisticsSlots(gathering, steps[step].kernel)
    // Joining images, which comes later, may cut the work otherwise.
    if case (.convDirect(let tile), .convolution(let op)) = (steps[step].kernel, gathering.op),
      let joined = choose.joined(gathering, op, insteadOf: tile)
    {
      slots = max(slots, statisticsSlots(gathering, .convDirect(joined)))
    }
    return (step, slotCount(slots, phases: 1, channels: gathering.shape.channels))
  }
}

extension Graph {
  /// The convolution that gathers a node's statistics, if one does.
  func gatheringConvolution(of statistics: Node) -> Node? {
    guard let producer = statistics.inputs[0].wholeNode(in: self).map({ self[$0] }),
      case .convolution(let op) = producer.op, op.epilogue.gathersStatistics
    else { return nil }
    return producer
  }
}
