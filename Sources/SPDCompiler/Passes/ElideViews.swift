import SPD

/// Reads a slice in place.
///
///     %1 = slice(%0) 16..<32
///     %2 = conv2d(%1) k=1 16→8
/// becomes
///     %2 = conv2d(%0{16..<32}) k=1 16→8
extension Pass {
  static let elideSlice = Pass("elide-slice", .fusion) { graph, remarks in
    readThrough("elide-slice", &graph, &remarks) { if case .slice = $0 { true } else { false } }
  }
}

/// Reads the parts of a concat where they are.
///
///     %2 = concat(%0, %1)
///     %3 = conv2d(%2) k=1 48→8
/// becomes
///     %3 = conv2d(%0 ++ %1) k=1 48→8
extension Pass {
  static let elideConcat = Pass("elide-concat", .fusion) { graph, remarks in
    readThrough("elide-concat", &graph, &remarks) { if case .concat = $0 { true } else { false } }
  }
}

/// Reads an upsampled tensor at its own resolution.
///
///     %1 = upsample(%0) x2
///     %2 = conv2d(%1) k=1 32→8
/// becomes
///     %2 = conv2d(%0^2) k=1 32→8
extension Pass {
  static let elideUpsample = Pass("elide-upsample", .fusion) { graph, remarks in
    readThrough("elide-upsample", &graph, &remarks) { if case .upsample = $0 { true } else { false } }
  }
}

/// Reads a space-to-depth in place: four views of one tensor instead of a copy of it.
///
///     %1 = space_to_depth(%0) scale=2 order=paper      96×320×320 → 384×160×160
///     %2 = conv2d(%1) k=1 384→48
/// becomes
///     %2 = conv2d(%0[::2,::2] ++ %0[1::2,::2] ++ %0[::2,1::2] ++ %0[1::2,1::2]) k=1 384→48
///
/// Works for several readers, through a concat, and for the image itself (a Focus stem).
extension Pass {
  static let fuseSpaceToDepth = Pass("fuse-space-to-depth", .fusion) { graph, remarks in
    readThrough("fuse-space-to-depth", &graph, &remarks) { if case .spaceToDepth = $0 { true } else { false } }
  }
}

extension Pass {
  /// Replaces views of every node that `matches` by views of its inputs, in every reader that can read those.
  fileprivate static func readThrough(
    _ name: String, _ graph: inout Graph, _ remarks: inout [Remark], _ matches: (Op) -> Bool
  ) {
    for id in graph.nodes.filter({ matches($0.op) }).map(\.id) {
      // As it is by now: it may read through one of its own kind already.
      let node = graph[id]
      guard let view = graph.view(of: node) else {
        remarks.append(Remark(name, node, fired: false, "no affine view expresses it"))
        continue
      }
      for reader in graph.readers(of: node.id) {
        for (index, operand) in reader.inputs.enumerated()
        where operand.segments.contains(where: { $0.node == node.id }) {
          guard let seen = operand.replacing(node.id, by: view) else {
            remarks.append(Remark(name, node, fired: false, "\(reader.layer) reads a part that no view expresses"))
            continue
          }
          // Another reindexing passes the view on; whether its own readers can use it is its own pass's question.
          let passesOn = graph.view(of: reader) != nil
          if !passesOn, let obstacle = ViewRules.obstacle(for: reader, input: index, reading: seen, in: graph) {
            remarks.append(
              Remark(name, node, fired: false, "\(reader.op.name) \(reader.layer) cannot read it in place: \(obstacle)")
            )
            continue
          }
          graph[reader.id].inputs[index] = seen
          if !passesOn {
            remarks.append(Remark(name, node, fired: true, "read in place by \(reader.op.name) \(reader.layer)"))
          }
        }
      }
      for index in graph.outputs.indices {
        // What the network returns is written out in any case, so it may be any view.
        if let seen = graph.outputs[index].replacing(node.id, by: view) { graph.outputs[index] = seen }
      }
    }
  }
}
