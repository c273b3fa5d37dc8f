import SPD

@testable import SPDCompiler

extension Plan {
  /// Everything that makes this plan wrong, worked out from its graph and steps alone and not as `PlanMemory` does it.
  var faults: [String] { stepFaults + overlapFaults + lifetimeFaults + haloFaults + packedFaults + outputFaults }

  /// Steps come in the order of the graph, one per node, and read what their node reads.
  private var stepFaults: [String] {
    var faults: [String] = []
    let expected = graph.nodes.filter { $0.op != .input }.map(\.id)
    if steps.compactMap(\.node) != expected { faults.append("the steps are not the nodes in their order") }
    for (index, step) in steps.enumerated() {
      let inputs: [Operand]
      if let node = step.node {
        inputs = graph[node].inputs
      } else if case .store(let output) = step.kernel {
        inputs = [graph.outputs[output]]
      } else {
        inputs = []
        faults.append("step \(index) computes nothing")
      }
      if Set(inputs.flatMap(\.segments).map(\.node)) != Set(step.reads) {
        faults.append("step \(index) does not say what it reads")
      }
    }
    return faults
  }

  /// Buffers that hold something at the same time lie apart, inside of the arena and on whole cache lines.
  private var overlapFaults: [String] {
    var faults: [String] = []
    for (position, a) in buffers.enumerated() {
      if a.offset < 0 || a.offset + a.layout.count > arenaCount {
        faults.append("%\(a.node) lies outside of the arena")
      }
      if a.offset % 16 != 0 { faults.append("%\(a.node) is not aligned") }
      for b in buffers[(position + 1)...] where a.first <= b.last && b.first <= a.last {
        if a.offset < b.offset + b.layout.count, b.offset < a.offset + a.layout.count {
          faults.append("%\(a.node) and %\(b.node) overlap")
        }
      }
    }
    for workspace in workspaces {
      let name = "the workspace of step \(workspace.step)"
      let end = workspace.offset + workspace.count
      if workspace.offset < 0 || end > arenaCount { faults.append("\(name) lies outside of the arena") }
      if workspace.offset % 16 != 0 { faults.append("\(name) is not aligned") }
      for buffer in buffers where buffer.first <= workspace.step && workspace.first <= buffer.last {
        if workspace.offset < buffer.offset + buffer.layout.count, buffer.offset < end {
          faults.append("\(name) and %\(buffer.node) overlap")
        }
      }
    }
    if Set(workspaces.map(\.step)).count != workspaces.count { faults.append("a step has two workspaces") }
    if Set(buffers.map(\.node)).count != buffers.count { faults.append("a node has two buffers") }
    return faults
  }

  /// Whatever a step reads was written by an earlier one and is still there, and its own result lives with it.
  private var lifetimeFaults: [String] {
    let known = Dictionary(buffers.map { ($0.node, $0) }, uniquingKeysWith: { a, _ in a })
    var faults: [String] = []
    var written: Set<Node.ID> = []
    for (index, step) in steps.enumerated() {
      for read in step.reads where read != graph.input.id {
        guard let buffer = known[read], written.contains(read) else {
          faults.append("step \(index) reads %\(read), which no step has written")
          continue
        }
        if buffer.last < index {
          faults.append("step \(index) reads %\(read), which is gone since step \(buffer.last)")
        }
      }
      guard let node = step.node, step.kernel != .decode else { continue }
      written.insert(node)
      guard let buffer = known[node] else {
        faults.append("step \(index) has no place for its result")
        continue
      }
      if buffer.first > index || buffer.last < index { faults.append("%\(node) does not live when it is written") }
      if buffer.layout.shape != graph[node].shape { faults.append("%\(node) is stored in another shape") }
    }
    return faults
  }

  /// Every row and column that a convolution reads, tap by tap, lies inside of the stored tensor and its halo.
  private var haloFaults: [String] {
    var faults: [String] = []
    for step in steps {
      guard let id = step.node, case .convolution(let op) = graph[id].op else { continue }
      // The image has no halo; its kernels look where it ends.
      if graph[id].inputs[0].segments.contains(where: { $0.node == graph.input.id }) { continue }
      for segment in graph[id].inputs[0].segments {
        guard let layout = buffers.first(where: { $0.node == segment.node })?.layout else { continue }
        let (halo, out, source) = (layout.halo, graph[id].shape, graph[segment.node].shape)
        var (height, width) = (out.height, out.width)
        if case .convWinograd(let tile) = step.kernel {
          // All of the last tile of a row or column is computed.
          while height % tile.size != 0 { height += 1 }
          while width % tile.size != 0 { width += 1 }
        }
        var (rows, columns): ([Int], [Int]) = ([], [])
        for y in 0..<height {
          for k in 0..<op.kernel.height {
            let row = y * op.stride.height + k * op.dilation.height - op.padding.height
            rows.append(segment.source(row, segment.rowPhase))
          }
        }
        for x in 0..<width {
          for k in 0..<op.kernel.width {
            let column = x * op.stride.width + k * op.dilation.width - op.padding.width
            columns.append(segment.source(column, segment.columnPhase))
          }
        }
        let inside =
          rows.allSatisfy { -halo.top <= $0 && $0 < source.height + halo.bottom }
          && columns.allSatisfy { -halo.left <= $0 && $0 < source.width + halo.right }
        if !inside { faults.append("%\(id) reads beyond the halo of %\(segment.node)") }
      }
    }
    return faults
  }

  /// Packed weights follow each other in whole cache lines, and every node with parameters has some.
  private var packedFaults: [String] {
    var faults: [String] = []
    var end = 0
    for block in packed {
      if block.offset < end { faults.append("the packed weights of %\(block.node) overlap those before them") }
      if block.count <= 0 || block.offset % 16 != 0 {
        faults.append("the packed weights of %\(block.node) are misplaced")
      }
      end = block.offset + block.count
    }
    let reads = graph.nodes.filter { !$0.op.parameterNames.isEmpty }.map(\.id)
    if packed.map(\.node) != reads { faults.append("not every node with parameters has packed weights") }
    if packedCount < end { faults.append("the packed weights are more than \(packedCount)") }
    return faults
  }

  private var outputFaults: [String] {
    var faults: [String] = []
    var end = 0
    for (index, output) in outputs.enumerated() {
      if output.offset != end { faults.append("output \(index) does not follow the one before it") }
      if output.count != graph.shape(of: graph.outputs[index]).count {
        faults.append("output \(index) has another size")
      }
      end = output.offset + output.count
    }
    return faults
  }
}

extension Segment {
  /// The row or column of the source that row or column `index` of the view is, beyond its borders too.
  fileprivate func source(_ index: Int, _ phase: Int) -> Int {
    step * (index >= 0 ? index / upsampling : -((upsampling - 1 - index) / upsampling)) + phase
  }
}
