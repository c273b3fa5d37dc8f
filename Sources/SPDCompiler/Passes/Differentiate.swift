import SPD

/// Appends the backward pass: for each node, in reverse, what the gradient of its result makes of those of its inputs and
/// parameters.
///
///     %1 = conv2d(%0) k=3 p=1 8→8
///     %2 = cross_entropy(%1)
/// becomes
///     %1 = conv2d(%0) k=3 p=1 8→8
///     %3 = gradient of=%1
///     %2 = cross_entropy(%1) → %3
///     %4 = weight_gradient(%0, %3) k=3 w
///     %5 = gradient of=%0
///     %6 = conv2d(%3) k=3 p=1 adjoint 8→8 → %5
///
/// What several readers contribute to one gradient is added up by the later ones as they store, in graph order. The
/// gradient of a view is written through that view: to a space-to-depth's phase, into a concat's part, summed over an
/// upsampled pixel. There is no scatter and no gradient of a reindexing.
extension Pass {
  static let differentiate = Pass("differentiate", .lowering, modes: [.training]) { graph, remarks in
    var differentiation = Differentiation(graph: graph)
    try differentiation.run()
    graph = differentiation.graph
    remarks += differentiation.remarks
  }
}

struct Differentiation {
  var graph: Graph
  var remarks: [Remark] = []
  /// The gradient node of each result that has one.
  private(set) var gradients: [Node.ID: Node.ID] = [:]
  /// Results that depend on a parameter.
  private var active: Set<Node.ID> = []
  private var nextID: Node.ID

  init(graph: Graph) {
    self.graph = graph
    nextID = graph.nextID
    for node in graph.nodes {
      let trains = node.op.parameterNames.contains { graph.parameter($0)?.role.isTrainable ?? false }
      if trains || node.inputs.flatMap(\.segments).contains(where: { active.contains($0.node) }) {
        active.insert(node.id)
      }
    }
  }

  mutating func run() throws {
    let forward = graph.nodes
    for node in forward.reversed() {
      guard node.op.isLoss else {
        if let gradient = gradients[node.id] { try differentiate(node, gradient: Operand(graph[gradient])) }
        continue
      }
      for input in node.inputs {
        guard let segment = target(input.segments[0]) else {
          throw GraphError("\(node.source): nothing trains before the loss: the network has no parameters there")
        }
        graph[node.id].destinations?.append(Destination(segments: [segment]))
      }
    }
    AssignGradientWriters.run(&graph)
  }

  private mutating func differentiate(_ node: Node, gradient: Operand) throws {
    switch node.op {
    case .input: break
    case .convolution(let op): try differentiate(node, op, gradient)
    case .training(.normalize(let op)): differentiate(node, op, gradient)
    case .pool(let op):
      contribute(node, .training(.poolGradient(op)), [gradient, node[.input], Operand(node)], to: node[.input])
    case .globalAveragePool: contribute(node, .training(.globalAverageGradient), [gradient], to: node[.input])
    case .copy: differentiateCopy(node, gradient)
    case .training(.statistics): break
    case .activation(let activation) where activation.parameter != nil:
      append(
        node, .training(.activationGradient(activation)), [gradient, node[.input]],
        [Destination(segments: targets(node[.input].segments) ?? [])], node.shape)
    case .batchNorm, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .flatten, .linear, .softmax,
      .decodeBoxes, .training:
      throw GraphError("\(node.source): spdc does not train through \(node.op.name) (layer \(node.layer))")
    }
  }

  // MARK: - operations

  private mutating func differentiate(_ node: Node, _ op: Op.Convolution, _ gradient: Operand) throws {
    guard op.groups == 1 else {
      throw GraphError(
        "\(node.source): spdc does not train grouped convolutions (layer \(node.layer), groups \(op.groups))")
    }
    guard op.stride == 1 || op.dilation == 1 && op.stride.height == op.stride.width else {
      throw GraphError(
        "\(node.source): spdc does not train a convolution with dilation beside a stride, or two different strides (layer \(node.layer))"
      )
    }
    append(
      node, .training(.weightGradient(op)), [node[.input], gradient], [],
      Shape(batch: 1, channels: op.outputs, height: 1, width: 1))
    for group in runs(node[.input].segments) {
      guard let segments = targets(group) else { continue }
      for phase in op.phases {
        guard var adjoint = op.adjoint(inputs: graph.shape(of: node[.input]).channels, of: group, phase: phase) else {
          continue
        }
        var shape = graph.shape(of: Operand(segments: group))
        // An image of one row has no second phase.
        guard phase.height < shape.height, phase.width < shape.width else { continue }
        let views = segments.map { $0.through(phase: phase, of: op.stride) }
        adjoint.parts[0].outputs = adjoint.adjoint!.channels.count
        shape.channels = adjoint.outputs
        if group[0].upsampling > 1 {
          shape.height /= group[0].upsampling
          shape.width /= group[0].upsampling
        } else {
          shape.height = (shape.height - phase.height + op.stride.height - 1) / op.stride.height
          shape.width = (shape.width - phase.width + op.stride.width - 1) / op.stride.width
        }
        append(node, .convolution(adjoint), [gradient], [Destination(segments: views)], shape)
      }
    }
  }

  private mutating func differentiate(_ node: Node, _ op: Op.Normalize, _ gradient: Operand) {
    var inputs = [gradient, node[.input]]
    if let statistics = node.operand(.statistics) { inputs.append(statistics) }
    let final = op.stages.finalActivation == nil ? [] : [Operand(node)]
    if let norm = op.norm {
      let shape = Shape(batch: 4 * norm.phases, channels: node.shape.channels, height: 1, width: 1)
      let sums = append(node, .training(.batchNormBackwardReduce(op)), inputs + final, nil, shape)
      inputs.append(Operand(graph[sums]))
    }
    var destinations: [Destination] = []
    for operand in [node[.input]] + [node.operand(.summand)].compactMap({ $0 }) {
      destinations.append(Destination(segments: targets(operand.segments) ?? []))
    }
    append(node, .training(.normalizeGradient(op)), inputs + final, destinations, node.shape)
  }

  /// One destination for each tensor that was copied from.
  private mutating func differentiateCopy(_ node: Node, _ gradient: Operand) {
    var destinations: [Destination] = []
    for segment in node[.input].segments {
      guard let view = target(segment) else { continue }
      if let index = destinations.firstIndex(where: { $0.segments[0].node == view.node }) {
        destinations[index].segments.append(view)
      } else {
        destinations.append(Destination(segments: [view]))
      }
    }
    guard !destinations.isEmpty else { return }
    append(node, .training(.copyGradient), [gradient], destinations, node.shape)
  }

  // MARK: - nodes

  private mutating func contribute(_ node: Node, _ op: Op, _ inputs: [Operand], to operand: Operand) {
    guard let segments = targets(operand.segments) else { return }
    append(node, op, inputs, [Destination(segments: segments)], graph.shape(of: operand))
  }

  @discardableResult private mutating func append(
    _ node: Node, _ op: Op, _ inputs: [Operand], _ destinations: [Destination]?, _ shape: Shape
  ) -> Node.ID {
    var new = Node(id: nextID, op: op, inputs: inputs, shape: shape, layer: node.layer, source: node.source)
    new.destinations = destinations
    nextID += 1
    graph.nodes.append(new)
    return new.id
  }

  /// The same views of the gradients; nil if none of them is wanted.
  private mutating func targets(_ segments: [Segment]) -> [Segment]? {
    let targets = segments.map { target($0) }
    return targets.contains(nil) ? nil : targets.map { $0! }
  }

  /// The same view of the gradient of what it shows, which is made if it is the first; nil if nothing trains before it.
  private mutating func target(_ segment: Segment) -> Segment? {
    guard active.contains(segment.node) else { return nil }
    var result = segment
    if let gradient = gradients[segment.node] {
      result.node = gradient
      return result
    }
    let source = graph[segment.node]
    let node = Node(
      id: nextID, op: .training(.gradient(of: source.id, isCleared: false)), inputs: [], shape: source.shape,
      layer: source.layer, source: source.source)
    nextID += 1
    graph.nodes.append(node)
    gradients[segment.node] = node.id
    result.node = node.id
    return result
  }

  /// Segments in runs that one convolution can write: views of one node that differ in nothing but phase and channels.
  private func runs(_ segments: [Segment]) -> [[Segment]] {
    var result: [[Segment]] = []
    for segment in segments {
      if let last = result.last?.last, last.node == segment.node, last.step == segment.step,
        last.upsampling == segment.upsampling, !result[result.count - 1].contains(where: { $0.overlaps(segment) })
      {
        result[result.count - 1].append(segment)
      } else {
        result.append([segment])
      }
    }
    return result
  }
}

extension Op.Convolution {
  /// Row and column of the input modulo the stride.
  fileprivate var phases: [Size2D] {
    (0..<stride.height).flatMap { row in (0..<stride.width).map { Size2D(row, $0) } }
  }

  /// The gradient of the inputs of one phase: dx[s·j + r] = Σ W[k]·dy[j + (r + p − d·k)/s], over the taps k for which
  /// that is whole. Nil if there are none.
  fileprivate func adjoint(inputs: Int, of segments: [Segment], phase: Size2D) -> Op.Convolution? {
    let f = segments[0].upsampling
    // A 1×1 convolution reads an upsampled tensor in place: each of its pixels gets the sum over f × f.
    let rows =
      f > 1 ? Taps(repeated: f) : Taps(kernel.height, stride.height, padding.height, dilation.height, phase.height)
    let columns =
      f > 1 ? Taps(repeated: f) : Taps(kernel.width, stride.width, padding.width, dilation.width, phase.width)
    guard let rows, let columns else { return nil }
    var result = Op.Convolution(
      kernel: Size2D(rows.taps.count, columns.taps.count), stride: Size2D(f),
      padding: Size2D(rows.padding, columns.padding), dilation: dilation, groups: 1,
      parts: [Part(outputs: 0, weight: parts[0].weight, bias: nil)])
    result.adjoint = Adjoint(
      rows: rows.taps, columns: columns.taps, outputs: outputs, inputs: inputs, kernel: kernel,
      runs: segments.map { Adjoint.Run(first: $0.target, stride: $0.targetStride, count: $0.channels) })
    return result
  }

  /// Taps of W along one axis in the order of the adjoint's, and the adjoint's padding, which may be negative.
  private struct Taps {
    var taps: [Int]
    var padding: Int

    init(repeated: Int) {
      taps = Array(repeating: 0, count: repeated)
      padding = 0
    }

    init?(_ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, _ phase: Int) {
      taps = (0..<kernel).filter { (phase + padding - $0 * dilation) % stride == 0 }.reversed()
      guard let first = taps.first else { return nil }
      // The last tap of W reads furthest ahead.
      self.padding = (first * dilation - phase - padding) / stride
    }
  }
}

extension Segment {
  /// Whether two views of one step show a value of their node twice.
  fileprivate func overlaps(_ other: Segment) -> Bool {
    rowPhase == other.rowPhase && columnPhase == other.columnPhase && first < other.first + other.channels
      && other.first < first + channels
  }

  /// Every stride-th pixel of the view, beginning at `phase`.
  fileprivate func through(phase: Size2D, of stride: Size2D) -> Segment {
    var view = self
    if upsampling > 1 {
      view.upsampling = 1
      return view
    }
    view.rowPhase += step * phase.height
    view.columnPhase += step * phase.width
    view.step *= stride.height
    return view
  }
}
