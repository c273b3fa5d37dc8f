extension Op.Training {
  /// The shape of the result for inputs of the given shapes, for those that have one of their own.
  func outputShape(_ inputs: [Shape]) throws(ShapeError) -> Shape {
    let first = inputs[0]
    switch self {
    case .statistics(let norm):
      return Shape(batch: 4 * norm.phases, channels: first.channels, height: 1, width: 1)
    case .batchNormBackwardReduce(let op):
      return Shape(batch: 4 * (op.norm?.phases ?? 1), channels: first.channels, height: 1, width: 1)
    case .normalize(let op):
      guard inputs.count == Op.training(self).roles!.count else {
        throw ShapeError("\(name) has \(inputs.count) inputs")
      }
      guard !op.stages.addsSummand || inputs.last == first else {
        throw ShapeError("the residual is \(inputs.last!), but what it is added to is \(first)")
      }
      return first
    default:
      throw ShapeError("\(name) writes into gradients and has no result of its own")
    }
  }
}

extension Op.BatchNorm {
  /// Sets of scales and shifts: one, or one for each phase of the space-to-depth that it followed.
  public var phases: Int { enclosing.map { $0.scale * $0.scale } ?? 1 }
}

extension Graph {
  /// Checks what a node without a result of its own writes to.
  ///
  /// - Returns: false if the node has a result, which is checked elsewhere.
  func checkDestinations(of node: Node, seenBefore: [Node.ID: Node], place: String) throws(GraphError) -> Bool {
    if case .training(.gradient(let source, _)) = node.op {
      guard let other = seenBefore[source], other.shape == node.shape else {
        throw GraphError("\(place) is the gradient of %\(source), which does not come before it in this shape")
      }
      return true
    }
    guard let destinations = node.destinations else { return false }
    for segment in destinations.flatMap(\.segments) {
      guard let written = seenBefore[segment.node], case .training(.gradient) = written.op else {
        throw GraphError("\(place) writes to %\(segment.node), which is no gradient before it")
      }
      let target = written.shape
      guard segment.first >= 0, segment.channels > 0, segment.first + segment.channels <= target.channels,
        segment.step >= 1, segment.upsampling >= 1, (0..<segment.step).contains(segment.rowPhase),
        (0..<segment.step).contains(segment.columnPhase), node.shape.batch == target.batch || node.op.isLoss
      else { throw GraphError("\(place) writes outside of %\(segment.node), which is \(target)") }
    }
    if case .convolution(let op) = node.op {
      guard let adjoint = op.adjoint, adjoint.channels.count == node.shape.channels,
        adjoint.runs.map(\.count) == destinations.flatMap(\.segments).map(\.channels)
      else { throw GraphError("\(place) writes other channels than it computes") }
    }
    return true
  }
}

extension Graph {
  /// Checks a graph that no pass of this run has touched, such as that of a file: as `verify`, and that it holds nothing that
  /// only the passes of training make.
  ///
  /// - Throws: `GraphError` naming the node.
  public func verifyBeforePasses() throws(GraphError) {
    try verify()
    for node in nodes {
      var made: String?
      if case .training = node.op { made = node.op.name }
      if node.destinations != nil { made = "a node that writes into gradients" }
      if case .convolution(let op) = node.op {
        if op.adjoint != nil { made = "the gradient of a convolution" }
        if op.epilogue.stages.gathersStatistics { made = "a convolution that gathers statistics" }
      }
      if let made {
        throw GraphError(
          "\(place(of: node)) is \(made), which only the passes of training make: give the graph as it is before them, "
            + "`spdc compile MODEL --emit graph`")
      }
    }
  }
}
