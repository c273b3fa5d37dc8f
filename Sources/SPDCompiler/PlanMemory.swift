import SPD

/// Where in the arena everything lies, and how wide its halo is.
enum PlanMemory {
  /// Offsets such that what is alive at the same time never overlaps: the largest first, each at the lowest free place.
  ///
  /// - Returns: floats in all.
  static func place(
    _ buffers: inout [Plan.Buffer], _ workspaces: inout [Plan.Workspace], _ gradients: inout [Plan.Gradient]
  ) -> Int {
    var spans =
      buffers.map { Span(count: roundUp($0.layout.count), first: $0.first, last: $0.last) }
      + workspaces.map { Span(count: roundUp($0.count), first: $0.first, last: $0.step) }
      + gradients.map { Span(count: roundUp($0.count), first: $0.first, last: $0.last) }
    var placed: [Span] = []
    for index in spans.indices.sorted(by: { (spans[$1].count, spans[$0].first) < (spans[$0].count, spans[$1].first) }) {
      let span = spans[index]
      let neighbours = placed.filter { $0.first <= span.last && span.first <= $0.last }.sorted { $0.offset < $1.offset }
      for other in neighbours where other.offset < spans[index].offset + span.count {
        spans[index].offset = max(spans[index].offset, other.offset + other.count)
      }
      placed.append(spans[index])
    }
    for index in buffers.indices { buffers[index].offset = spans[index].offset }
    for index in workspaces.indices { workspaces[index].offset = spans[buffers.count + index].offset }
    for index in gradients.indices { gradients[index].offset = spans[buffers.count + workspaces.count + index].offset }
    return placed.map { $0.offset + $0.count }.max() ?? 0
  }

  private struct Span {
    var count: Int
    var first: Int
    var last: Int
    var offset = 0
  }

  /// To whole cache lines of 16 floats.
  static func roundUp(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  /// For each result, the widest border of zeros that a convolution reads.
  static func haloSizes(_ plan: Plan, _ context: KernelContext) -> [Node.ID: TensorLayout.Halo] {
    var halos: [Node.ID: TensorLayout.Halo] = [:]
    let graph = plan.graph
    for step in plan.steps {
      guard let node = step.node.map({ graph[$0] }), let op = node.op.convolution else { continue }
      // The gradient of a weight reads what its convolution reads.
      var output = node.op.isTraining ? graph.shape(of: node[.gradient]).size : node.shape.size
      if let size = plan.needs(of: step, context).overhangingTile {
        // Tiles overhang the result.
        output.height = ChooseTile.ceilDivide(output.height, size) * size
        output.width = ChooseTile.ceilDivide(output.width, size) * size
      } else if op.padding == 0, op.adjoint == nil {
        continue
      }
      let input = graph.shape(of: node[.input])
      // Rows and columns read beyond the last one, in the reader's own coordinates.
      func beyond(_ size: Int, _ out: Int, _ stride: Int, _ kernel: Int, _ dilation: Int, _ padding: Int) -> Int {
        max(0, (out - 1) * stride + dilation * (kernel - 1) - padding - (size - 1))
      }
      let below = beyond(
        input.height, output.height, op.stride.height, op.kernel.height, op.dilation.height, op.padding.height)
      let right = beyond(
        input.width, output.width, op.stride.width, op.kernel.width, op.dilation.width, op.padding.width)
      for segment in node[.input].segments {
        var halo = TensorLayout.Halo()
        halo.top = max(0, op.padding.height) * segment.step
        halo.bottom = below * segment.step
        halo.left = max(0, op.padding.width) * segment.step
        halo.right = right * segment.step
        halos[segment.node, default: TensorLayout.Halo()].formUnion(halo)
      }
    }
    return halos
  }
}

extension Op {
  fileprivate var isTraining: Bool { if case .training = self { true } else { false } }
}
