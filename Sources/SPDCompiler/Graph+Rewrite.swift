import SPD

// What several passes need to change a graph.
extension Graph {
  /// The only node that reads a result, if there is exactly one, it reads it whole and once, and the result is not
  /// returned by the network.
  func onlyReader(of id: Node.ID) -> Node? {
    guard !isOutput(id) else { return nil }
    let readers = readers(of: id)
    guard readers.count == 1, let reader = readers.first else { return nil }
    let views = reader.inputs.flatMap(\.segments).filter { $0.node == id }
    return views == [Segment(node: id, channels: self[id].shape.channels)] ? reader : nil
  }

  /// Lets everything that reads `old` read `new` instead, a node with a result of the same shape.
  mutating func redirect(_ old: Node.ID, to new: Node.ID) {
    mapOperands { operand in
      for index in operand.segments.indices where operand.segments[index].node == old {
        operand.segments[index].node = new
      }
    }
  }

  mutating func mapOperands(_ change: (inout Operand) -> Void) {
    for node in nodes.indices {
      for input in nodes[node].inputs.indices { change(&nodes[node].inputs[input]) }
    }
    for output in outputs.indices { change(&outputs[output]) }
  }

  mutating func remove(_ id: Node.ID) {
    nodes.removeAll { $0.id == id }
  }

  /// `reader` takes the place of `producer`, whose work it now does too: its result, shape and position.
  mutating func absorb(_ reader: Node, into producer: Node, op: Op) {
    var merged = producer
    merged.op = op
    merged.id = reader.id
    merged.shape = reader.shape
    self[reader.id] = merged
    remove(producer.id)
  }

  /// What a reindexing node is a view of, or nil if it is none or no view expresses it.
  func view(of node: Node) -> Operand? {
    switch node.op {
    case .concat: Operand.concat(node.inputs)
    case .slice(let first, let count): node[.input].slice(first: first, count: count)
    case .upsample(let factor): node[.input].upsampled(by: factor)
    case .spaceToDepth(let op): node[.input].throughSpaceToDepth(op)
    case .input, .convolution, .batchNorm, .activation, .add, .pool, .globalAveragePool, .flatten, .linear, .softmax,
      .decodeBoxes, .copy, .training:
      nil
    }
  }
}
