import SPD

extension Plan {
  /// Lets the gradient before a normalisation take the memory of the one after it, where nothing else reads that any more.
  ///
  /// - Returns: for each buffer, the one whose memory it lies in. Owners live as long as all that is in their memory, and all of
  ///   them have everyone's halo.
  mutating func shareMemory() -> [Int] {
    let index = Dictionary(uniqueKeysWithValues: buffers.enumerated().map { ($1.node, $0) })
    var owner = Array(buffers.indices)
    for (position, step) in steps.enumerated() {
      guard let (from, to) = inPlace(step), let old = index[from], let new = index[to], buffers[old].last == position,
        buffers[new].first == position
      else { continue }
      owner[new] = owner[old]
    }
    for buffer in buffers.indices where owner[buffer] != buffer {
      buffers[owner[buffer]].last = max(buffers[owner[buffer]].last, buffers[buffer].last)
      buffers[owner[buffer]].layout.halo.formUnion(buffers[buffer].layout.halo)
    }
    for buffer in buffers.indices { buffers[buffer].layout.halo = buffers[owner[buffer]].layout.halo }
    return owner
  }

  /// The gradients that a step reads and, at the same places, stores.
  private func inPlace(_ step: Step) -> (from: Node.ID, to: Node.ID)? {
    guard let node = step.node.map({ graph[$0] }), case .training(.normalizeGradient) = node.op,
      let destination = node.destinations?.first, !destination.adds, destination.segments.count == 1,
      let from = node[.gradient].wholeNode(in: graph),
      let to = Operand(segments: destination.segments).wholeNode(in: graph),
      graph[from].shape == graph[to].shape
    else { return nil }
    return (from, to)
  }

  /// Offsets in the arena; buffers of the same owner have the same.
  mutating func placeInMemory(_ owner: [Int]) {
    var placed = buffers.indices.filter { owner[$0] == $0 }.map { buffers[$0] }
    arenaCount = PlanMemory.place(&placed, &workspaces, &gradients)
    let offsets = Dictionary(uniqueKeysWithValues: placed.map { ($0.node, $0.offset) })
    for buffer in buffers.indices { buffers[buffer].offset = offsets[buffers[owner[buffer]].node]! }
  }

  mutating func addState(maxTargets: Int) {
    let state = StateLayout(graph)
    // The optimiser's sweep keeps a double for each of its units in the arena.
    if !updatesInBackward { arenaCount = max(arenaCount, LossHoles.optimizerScratch(count: state.count)) }
    self.state = state
    self.maxTargets = maxTargets
    if case .numbers(let shape) = supervision { self.maxTargets = shape.count }
  }
}
