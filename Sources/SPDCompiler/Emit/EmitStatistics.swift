import SPD

extension EmitC {
  /// Whether a convolution gathers statistics of what it stores, so that the tiles of all can.
  var gathersStatistics: Bool {
    graph.nodes.contains {
      if case .convolution(let op) = $0.op { op.epilogue.stages.gathersStatistics } else { false }
    }
  }

  /// The field of a kernel's tiles that gathers.
  var gatheredField: [String: String] { ["GATHERED": gathersStatistics ? "\n    statistics *gathered;" : ""] }

  /// What a kernel needs to gather statistics in the tile `tile`: run number `slot` of `vectors` vectors of channels, from channel
  /// `channel` on; these in terms of its template.
  func gatheringHoles(_ op: Op.Convolution, tile: String, slot: String, channel: String, vectors: String) -> [String:
    String]
  {
    guard op.epilogue.stages.gathersStatistics else { return ["TEXT": "", "SLOTS": "", "BEGIN": "", "END": ""] }
    return [
      "TEXT": " that gathers statistics", "SLOTS": ", float *slots",
      "BEGIN": "statistics gathered; begin_statistics(&gathered); \(tile).gathered = &gathered;",
      "END":
        "store_statistics(&gathered, slots + (\(slot)) * (ptrdiff_t)(2 * c->blocks + 1) * BLOCK, c->blocks * BLOCK, "
        + "\(channel), \(vectors));",
    ]
  }

  /// The slots that a convolution fills, as an argument.
  func slots(_ node: Node, _ op: Op.Convolution, strip: Int) -> String {
    guard op.epilogue.stages.gathersStatistics else { return "" }
    let merging = plan.steps.first { step in
      step.kernel == .statistics && graph.gatheringConvolution(of: graph[step.node!])?.id == node.id
    }
    guard let merging else { preconditionFailure("nothing merges the statistics of %\(node.id)") }
    precondition(strip * channelBlock / plan.target.lanes <= 32, "the template has room for 32 vectors")
    return ", " + workspace(graph[merging.node!])
  }
}
