import SPD

extension PlanMemory {
  /// As `place`, with the gradient in front of a normalisation in the memory of the one behind it, where nothing else reads
  /// that any more.
  static func placeInPlace(
    _ buffers: inout [Plan.Buffer], _ workspaces: inout [Plan.Workspace], _ steps: [Plan.Step], _ graph: Graph
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
    let count = place(&owners, &workspaces)
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
}
