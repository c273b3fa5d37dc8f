import SPD

/// Runs of pixels whose means and squares are summed up on their own, and then merged: of a pass over the batch, or of a convolution
/// that gathers them as it stores. See the templates `norm_statistics` and `statistics`.
enum BatchSlots {
  /// Rows of all images in a run: what fits into the first-level cache, block by block.
  static func chunkRows(_ shape: Shape) -> Int { max(2, 256 / shape.width / 2 * 2) }

  static func chunks(_ shape: Shape) -> Int { ChooseTile.ceilDivide(shape.batch * shape.height, chunkRows(shape)) }

  /// Floats of slots: mean and squares for each value of a vector, and its number of values.
  static func count(_ slots: Int, phases: Int, channels: Int) -> Int {
    slots * (2 * phases * PlanMemory.roundUp(channels) + channelBlock)
  }
}

extension Plan {
  /// For a step that merges gathered statistics, the step that gathers them.
  func gatheringStep(for step: Step) -> Int? {
    guard step.kernel == .statistics, let id = step.node, let gathering = graph.gatheringConvolution(of: graph[id])
    else { return nil }
    return steps.firstIndex { $0.node == gathering.id }
  }

  /// Floats of the slots that a step fills.
  func gatheredCount(_ step: Step) -> Int {
    guard let node = step.node.map({ graph[$0] }) else { return 0 }
    return BatchSlots.count(node.statisticsSlots(step.kernel), phases: 1, channels: node.shape.channels)
  }
}

extension Node {
  /// Slots that a convolution fills with its statistics.
  func statisticsSlots(_ kernel: Kernel) -> Int {
    guard let module = kernel.module as? any GatheringKernel else {
      preconditionFailure("\(kernel) gathers no statistics")
    }
    return module.statisticsSlots(of: self)
  }
}

extension Graph {
  /// The convolution that gathers a node's statistics, if one does.
  func gatheringConvolution(of statistics: Node) -> Node? {
    guard let producer = statistics[.input].wholeNode(in: self).map({ self[$0] }),
      case .convolution(let op) = producer.op, op.epilogue.stages.gathersStatistics
    else { return nil }
    return producer
  }
}
