import SPD

extension EmitC {
  /// What the kernel of a convolution needs in order to gather statistics.
  struct Gathering {
    var holes: [String: String]
    var support: [Support]
    /// The slots' address as an argument, if it gathers.
    var argument: String
  }

  /// - Parameters:
  ///   - strip: blocks of outputs in a run.
  ///   - statements: by hole, what adds to the run of pixels `gathered`; these and the others in terms of the template.
  ///   - slot: number of the run.
  ///   - channel: the first of its vectors of channels, of which there are `vectors`.
  func gathering(
    _ node: Node, _ op: Op.Convolution, strip: Int, _ statements: [String: String], slot: String, channel: String,
    vectors: String
  ) -> Gathering {
    guard op.epilogue.stages.gathersStatistics else {
      let names = ["SLOTS", "PARAMETER", "ARGUMENT", "BEGIN", "END"] + statements.keys
      return Gathering(
        holes: Dictionary(uniqueKeysWithValues: names.map { ("STATISTICS_" + $0, "") }), support: [], argument: "")
    }
    let merging = plan.steps.first { step in
      step.kernel == .statistics && graph.gatheringConvolution(of: graph[step.node!])?.id == node.id
    }
    guard let merging else { preconditionFailure("nothing merges the statistics of %\(node.id)") }
    precondition(strip * channelBlock / plan.target.lanes <= 32, "the template has room for 32 vectors")
    let width = PlanMemory.roundUp(node.shape.channels)
    let holes =
      statements + [
        "SLOTS": ", float *restrict slots", "PARAMETER": ", statistics *gathered", "ARGUMENT": ", gathered",
        "BEGIN": "statistics run, *const gathered = &run; run.pixels = 0;",
        "END": "store_statistics(gathered, slots + (\(slot)) * (ptrdiff_t)\(2 * width + channelBlock), \(width), "
          + "\(channel), \(vectors));",
      ]
    return Gathering(
      holes: Dictionary(uniqueKeysWithValues: holes.map { ("STATISTICS_" + $0, $1) }),
      support: [Support(template: "statistics", holes: [:])], argument: ", " + workspace(graph[merging.node!]))
  }
}
