import SPD

/// Turns a lowered graph into a plan: halos, lifetimes, arena offsets, packed weights.
public enum PlanMemory {
  /// - Parameters:
  ///   - updatesInBackward: of training: each parameter is updated as soon as its gradient is there.
  ///   - reuse: false keeps every result until the end, for looking at them.
  public static func plan(
    _ graph: Graph, prefix: String, target: Target, kernels: KernelOptions = KernelOptions(),
    mode: Mode = .inference, maxTargets: Int = 0, updatesInBackward: Bool = false, reuse: Bool = true
  ) throws -> Plan {
    var steps: [Plan.Step] = []
    var scratch = 0
    var kernels = kernels
    kernels.packsWeights = mode == .training
    let choose = ChooseKernels(graph: graph, target: target, options: kernels)
    for node in graph.nodes {
      guard let kernel = try choose.kernel(for: node) else { continue }
      let reads = node.inputs.flatMap(\.segments).map(\.node)
      let writes = (node.destinations ?? []).flatMap(\.segments).map(\.node)
      steps.append(Plan.Step(node: node.id, kernel: kernel, reads: reads, writes: writes))
      scratch = max(scratch, scratchCount(node, kernel, in: graph, target))
    }
    var outputs: [Plan.Output] = []
    var offset = 0
    for (index, operand) in graph.outputs.enumerated() where mode == .inference {
      let shape = graph.shape(of: operand)
      let node = graph[operand.segments[0].node]
      var seen = [shape.batch, shape.channels, shape.height, shape.width]
      if case .decodeBoxes = node.op {
        seen = [shape.batch, shape.height, shape.width]
      } else {
        if shape.height == 1, shape.width == 1 { seen = [shape.batch, shape.channels] }
        steps.append(
          Plan.Step(node: nil, kernel: .store(output: index), reads: operand.segments.map(\.node)))
      }
      outputs.append(Plan.Output(shape: seen, offset: offset))
      offset += shape.count
    }

    var gradients = updatesInBackward ? insertUpdates(into: &steps, graph) : []
    let halos = haloSizes(graph, steps)
    var lifetimes: [Node.ID: ClosedRange<Int>] = [:]
    for (index, step) in steps.enumerated() {
      let written = step.writes + (step.node.map { graph[$0].destinations == nil ? [$0] : [] } ?? [])
      for node in written where lifetimes[node] == nil { lifetimes[node] = index...(reuse ? index : steps.count) }
      for read in step.reads + step.writes {
        if let life = lifetimes[read] { lifetimes[read] = life.lowerBound...max(life.upperBound, index) }
      }
    }
    var buffers: [Plan.Buffer] = []
    for node in graph.nodes {
      guard let life = lifetimes[node.id] else { continue }
      if case .decodeBoxes = node.op { continue }
      let layout = TensorLayout(shape: node.shape, halo: halos[node.id] ?? TensorLayout.Halo())
      buffers.append(
        Plan.Buffer(node: node.id, layout: layout, offset: 0, first: life.lowerBound, last: life.upperBound))
    }
    // Training packs weights in every step, into memory of that step.
    func packedCount(_ step: Plan.Step) -> Int {
      step.node.map { Self.packedCount(graph[$0], step.kernel, in: graph) } ?? 0
    }
    var workspaces: [Plan.Workspace] = steps.indices.compactMap { index in
      if let (gathering, count) = gathered(for: index, steps, choose) {
        return Plan.Workspace(first: gathering, step: index, offset: 0, count: count)
      }
      let shared = roundUp(sharedCount(steps[index], in: graph, target, maxTargets: maxTargets))
      let count = shared + (mode == .training ? packedCount(steps[index]) : 0)
      return count > 0 ? Plan.Workspace(step: index, offset: 0, count: count) : nil
    }
    let arena =
      mode == .training
      ? placeInPlace(&buffers, &workspaces, &gradients, steps, graph) : place(&buffers, &workspaces, &gradients)

    var packed: [Plan.PackedBlock] = []
    var end = 0
    for (index, step) in steps.enumerated() {
      let count = packedCount(step)
      guard count > 0, let id = step.node else { continue }
      if mode == .training, let workspace = workspaces.first(where: { $0.step == index }) {
        end = workspace.offset + workspace.count - count
      }
      packed.append(Plan.PackedBlock(node: id, offset: end, count: count))
      end += count
    }
    var plan = Plan(
      graph: graph, prefix: prefix, target: target, mode: mode, steps: steps, buffers: buffers, workspaces: workspaces,
      packed: packed, gradients: gradients, arenaCount: arena, scratchCount: roundUp(scratch), outputs: outputs)
    plan.joinImages(choose)
    if mode == .training { addState(to: &plan, maxTargets: maxTargets) }
    return plan
  }

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
  static func haloSizes(_ graph: Graph, _ steps: [Plan.Step]) -> [Node.ID: TensorLayout.Halo] {
    var halos: [Node.ID: TensorLayout.Halo] = [:]
    for step in steps {
      guard let node = step.node.map({ graph[$0] }), let op = node.op.convolution else { continue }
      // The gradient of a weight reads what its convolution reads.
      var output = node.op.isTraining ? graph.shape(of: node.inputs[1]).size : node.shape.size
      if let size = step.kernel.overhangingTile {
        // Tiles overhang the result.
        output.height = ChooseTile.ceilDivide(output.height, size) * size
        output.width = ChooseTile.ceilDivide(output.width, size) * size
      } else if op.padding == 0, op.adjoint == nil {
        continue
      }
      let input = graph.shape(of: node.inputs[0])
      // Rows and columns read beyond the last one, in the reader's own coordinates.
      func beyond(_ size: Int, _ out: Int, _ stride: Int, _ kernel: Int, _ dilation: Int, _ padding: Int) -> Int {
        max(0, (out - 1) * stride + dilation * (kernel - 1) - padding - (size - 1))
      }
      let below = beyond(
        input.height, output.height, op.stride.height, op.kernel.height, op.dilation.height, op.padding.height)
      let right = beyond(
        input.width, output.width, op.stride.width, op.kernel.width, op.dilation.width, op.padding.width)
      for segment in node.inputs[0].segments {
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

  /// Floats that each thread needs for itself.
  private static func scratchCount(_ node: Node, _ kernel: Kernel, in graph: Graph, _ target: Target) -> Int {
    switch (node.op, kernel) {
    case (.training(.weightGradient(let op)), .weightGradient(let tile)) where tile.chunks == 1:
      return tile.group * tile.slab(op, target)
    case (.training(.weightGradient(let op)), .weightGradient1x1(let tile)): return tile.scratchCount(op, target)
    case (_, .weightGradientWinograd(let tile)): return tile.group * tile.slab(target)
    default: break
    }
    guard case .convolution(let op) = node.op else { return 0 }
    switch kernel {
    case .convImage(_, let scale):
      let kernelRows = op.kernel.height * scale
      let columns = (node.shape.width - 1) * op.stride.width * scale + op.kernel.width * scale
      return kernelRows * columns * graph.input.shape.channels
    case .convWinograd(let tile), .convImageWinograd(let tile, _):
      let inputs = tile.shared ? 0 : tile.inputPlane(node.shape, inputBlocks: inputBlocks(node, kernel))
      return tile.elements * (inputs + tile.productPlane(node.shape))
    default: return 0
    }
  }

  /// Floats that all threads share within a step.
  private static func sharedCount(_ step: Plan.Step, in graph: Graph, _ target: Target, maxTargets: Int) -> Int {
    if let node = step.node.map({ graph[$0] }), case .training(let op) = node.op {
      return trainingCount(node, op, step.kernel, in: graph, target, maxTargets: maxTargets)
    }
    guard let tile = step.kernel.winograd, tile.shared, let node = step.node.map({ graph[$0] }) else { return 0 }
    return tile.elements * tile.inputPlane(node.shape, inputBlocks: inputBlocks(node, step.kernel))
  }

  /// Blocks of 16 channels that a node reads: each segment's on their own, but of an image all together.
  static func inputBlocks(_ node: Node, _ kernel: Kernel? = nil) -> Int {
    if case .convImageWinograd = kernel { return 1 }
    return node.inputs[0].segments.reduce(0) { $0 + ($1.channels + channelBlock - 1) / channelBlock }
  }

  /// Floats of packed weights; see the templates for their order.
  static func packedCount(_ node: Node, _ kernel: Kernel, in graph: Graph) -> Int {
    let outputs = (node.shape.channels + channelBlock - 1) / channelBlock * channelBlock
    switch (node.op, kernel) {
    case (.convolution(let op), _):
      // Sums start from the bias; a normalisation by phase adds four scales and four shifts.
      let biases = outputs * (op.epilogue.phaseNorm == nil ? 1 : 9)
      switch kernel {
      case .convImage(_, let scale):
        return outputs * op.kernel.area * scale * scale * graph.input.shape.channels + biases
      case .convDepthwise:
        return outputs * op.kernel.area + biases
      case .convGrouped:
        let inputs = graph.shape(of: node.inputs[0]).channels / op.groups
        return roundUp(op.outputs * inputs * op.kernel.area) + biases
      case .convWinograd(let tile), .convImageWinograd(let tile, _):
        let packed = tile.share == 0 ? outputs : min(outputs, tile.share * tile.strip * channelBlock)
        return packed * inputBlocks(node, kernel) * channelBlock * tile.elements + biases
      default:
        return outputs * inputBlocks(node) * channelBlock * op.kernel.area / op.groups + biases
      }
    case (.batchNorm(let op), _): return outputs * (op.enclosing == nil ? 2 : 9)
    case (.decodeBoxes(let op), _): return roundUp(op.strides.count * op.anchorsPerLevel * 2)
    default: return 0
    }
  }
}

extension Op {
  fileprivate var isTraining: Bool { if case .training = self { true } else { false } }

  /// The convolution whose input is read: a node's own, or the one whose weight it is the gradient of.
  fileprivate var convolution: Op.Convolution? {
    switch self {
    case .convolution(let op), .training(.weightGradient(let op)): op
    default: nil
    }
  }
}

extension Kernel {
  /// Edge of the tiles that a halo has to be wide enough for.
  fileprivate var overhangingTile: Int? {
    switch self {
    case .convWinograd(let tile): tile.size
    case .weightGradientWinograd(let tile): tile.size
    default: nil
    }
  }
}
