/// A space-to-depth and what stands around it in a graph as declared: all that a compiler may fuse with it.
public struct SpaceToDepthSite: Equatable, Sendable {
  /// The space-to-depth.
  public var id: Node.ID
  /// In the graph's order: the convolution before it with what normalises and activates its result, the
  /// space-to-depth, other reindexings after it, and what reads those, again with what is done to its result.
  ///
  /// A convolution between two space-to-depths belongs to both of their sites.
  public var nodes: [Node.ID]
}

extension Graph {
  public var spaceToDepthSites: [SpaceToDepthSite] {
    nodes.compactMap { node in
      guard case .spaceToDepth = node.op else { return nil }
      let ids = producer(of: node).union(consumers(of: node)).union([node.id])
      return SpaceToDepthSite(id: node.id, nodes: nodes.map(\.id).filter(ids.contains))
    }
  }

  /// Back to the convolution; nothing if something else comes before.
  private func producer(of node: Node) -> Set<Node.ID> {
    var ids: Set<Node.ID> = []
    var id = node[.input].wholeNode(in: self)
    while let found = id.map({ self[$0] }) {
      ids.insert(found.id)
      switch found.op {
      case .convolution: return ids
      case .batchNorm, .activation: id = found[.input].wholeNode(in: self)
      case .add: id = carrier(ofSum: found)
      default: return []
      }
    }
    return []
  }

  /// Through everything that only reindexes, normalises or activates, to the first that does more, and what follows that.
  private func consumers(of node: Node) -> Set<Node.ID> {
    var ids: Set<Node.ID> = []
    var open = [node.id]
    while let id = open.popLast() {
      for reader in readers(of: id) where ids.insert(reader.id).inserted {
        switch reader.op {
        case .spaceToDepth, .concat, .slice, .upsample, .batchNorm, .activation: open.append(reader.id)
        case .convolution: ids.formUnion(epilogue(of: reader))
        default: break
        }
      }
    }
    return ids
  }

  /// What a convolution can do to its result before it stores it.
  private func epilogue(of convolution: Node) -> [Node.ID] {
    var ids: [Node.ID] = []
    var last = convolution.id
    while let next = onlyReader(of: last) {
      switch next.op {
      case .batchNorm, .activation: break
      case .add where carrier(ofSum: next) == last: break
      default: return ids
      }
      ids.append(next.id)
      last = next.id
    }
    return ids
  }

  /// The summand that a sum is computed with: the first that nothing else reads.
  private func carrier(ofSum node: Node) -> Node.ID? {
    node.inputs.compactMap { $0.wholeNode(in: self) }.first { onlyReader(of: $0)?.id == node.id }
  }

  private func onlyReader(of id: Node.ID) -> Node? {
    let readers = readers(of: id)
    return readers.count == 1 && !isOutput(id) ? readers[0] : nil
  }
}
