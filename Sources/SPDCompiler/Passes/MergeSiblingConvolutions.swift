import SPD

/// Merges convolutions of one kernel that read the same tensor, as a C3's cv1 and cv2 do: the input is read once.
///
///     %1 = conv2d(%0) k=1 64→32 +silu
///     %2 = conv2d(%0) k=1 64→32 +silu
///     %3 = conv2d(%1) k=3 p=1 32→32
/// becomes
///     %1 = conv2d(%0) k=1 64→32+32 +silu
///     %3 = conv2d(%1{0..<32}) k=3 p=1 32→32
///
/// Readers see slices of the merged result, which must begin at a channel block: of siblings that end inside of one, the
/// last part can be one.
extension Pass {
  static let mergeSiblingConvolutions = Pass("merge-sibling-convolutions", .fusion, modes: [.inference]) {
    graph, remarks in
    let name = "merge-sibling-convolutions"
    for node in graph.nodes {
      guard graph.nodes.contains(where: { $0.id == node.id }), case .convolution(let op) = node.op,
        isMergeable(node, in: graph)
      else { continue }
      // Those before it have looked for their siblings already.
      let group = graph.nodes[graph.position(of: node.id)...].filter { other in
        guard other.inputs == node.inputs, case .convolution(let second) = other.op else { return false }
        return other.id == node.id || op.isSibling(of: second) && isMergeable(other, in: graph)
      }
      let whole = group.filter { $0.shape.channels % channelBlock == 0 }
      let partial = group.filter { $0.shape.channels % channelBlock != 0 }
      let members = whole + partial.prefix(1)

      // The result takes the first one's place, before all readers.
      var merged = op
      merged.parts = []
      var offsets: [Node.ID: Int] = [:]
      for case (let id, .convolution(let part)) in members.map({ ($0.id, $0.op) }) {
        offsets[id] = merged.outputs
        merged.parts += part.parts
      }
      for sibling in partial.dropFirst() {
        remarks.append(
          Remark(
            name, sibling, fired: false,
            "its sibling \(node.layer) ends at channel \(merged.outputs), which is no multiple of \(channelBlock)"))
      }
      guard members.count > 1 else { continue }
      graph[node.id].op = .convolution(merged)
      graph[node.id].shape.channels = merged.outputs
      graph.mapOperands { operand in
        for index in operand.segments.indices {
          guard let offset = offsets[operand.segments[index].node] else { continue }
          operand.segments[index].node = node.id
          operand.segments[index].first += offset
        }
      }
      for sibling in members where sibling.id != node.id {
        graph.remove(sibling.id)
        remarks.append(Remark(name, sibling, fired: true, "merged with \(node.layer), which reads the same tensor"))
      }
    }
  }

  /// A result that the network returns, or that must come first for its residual or start, stays alone.
  private static func isMergeable(_ node: Node, in graph: Graph) -> Bool {
    guard case .convolution(let op) = node.op else { return false }
    return op.groups == 1 && !op.epilogue.stages.addsSummand && !op.epilogue.addsAccumulator && !graph.isOutput(node.id)
  }
}

extension Op.Convolution {
  fileprivate func isSibling(of other: Op.Convolution) -> Bool {
    kernel == other.kernel && stride == other.stride && padding == other.padding && dilation == other.dilation
      && groups == other.groups && totalInputChannels == other.totalInputChannels && epilogue == other.epilogue
      && epilogue.stages.phaseNorm == nil && epilogue.parametric.isEmpty
  }
}
