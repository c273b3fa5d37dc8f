import SPD
import TestSupport
import Testing

/// Each way in which a graph can break the rules of the representation.
struct GraphVerifyTests {
  /// relu → conv 3×3 (4 channels) of an image of 4×6×6.
  private func sound() throws -> GraphMaker {
    var maker = GraphMaker(4, 6, 6)
    let x = try maker.add(.activation(.relu), maker.input)
    let part = maker.part("c", 4, of: 4, kernel: 3, biased: true)
    _ = try maker.add(.convolution(.init(kernel: 3, padding: 1, part)), x)
    return maker
  }

  private func convolution(of graph: Graph) throws -> Op.Convolution {
    guard case .convolution(let op) = graph.nodes[2].op else {
      throw GraphError("the third node is \(graph.nodes[2].op.name) and no convolution")
    }
    return op
  }

  private func expect(_ message: String, _ change: (inout Graph) -> Void, line: Int = #line) throws {
    var graph = try sound().graph
    try graph.verify()
    change(&graph)
    let error = #expect(throws: GraphError.self, "line \(line)") { try graph.verify() }
    #expect(error?.description == message, "line \(line)")
  }

  @Test func nodes() throws {
    let conv = "%2 (conv2d layer, test:2)"
    try expect("\(conv) is there twice") { $0.nodes.append($0.nodes[2]) }
    try expect("a graph has exactly one input") { $0.nodes[1].op = .input }
    try expect("a graph has exactly one input") { $0.nodes.removeFirst() }
    try expect("\(conv) reads %7, which does not come before it") { $0.nodes[2].inputs[0].segments[0].node = 7 }
    try expect("\(conv) reads %2, which does not come before it") { $0.nodes[2].inputs[0].segments[0].node = 2 }
    try expect("\(conv) reads %1, which does not come before it") { $0.nodes.swapAt(1, 2) }
    try expect("\(conv): conv2d has no input") { $0.nodes[2].inputs = [] }
    try expect("\(conv) reads an empty operand") { $0.nodes[2].inputs[0].segments = [] }
  }

  @Test func shapes() throws {
    let conv = "%2 (conv2d layer, test:2)"
    try expect("\(conv) says 4×6×7, but its inputs give 4×6×6") { $0.nodes[2].shape.width = 7 }
    try expect("\(conv) has the shape 1×4×0×6") { $0.nodes[2].shape.height = 0 }
    try expect("%0 (input input, test:0) has the shape -1×4×6×6") { $0.nodes[0].shape.batch = -1 }
    try expect("%0 (input input, test:0) has the shape 1099511627776×4×6×6") { $0.nodes[0].shape.batch = 1 << 40 }
    try expect("%0 (input input, test:0) has the shape 1×4×9223372036854775807×6") { $0.nodes[0].shape.height = .max }
    try expect("%2 (add layer, test:2): a sum needs two tensors of one shape, but they are 4×6×6") {
      $0.nodes[2].op = .add
    }
  }

  @Test func views() throws {
    func view(_ message: String, _ change: (inout Segment) -> Void, line: Int = #line) throws {
      try expect("%2 (conv2d layer, test:2) " + message, { change(&$0.nodes[2].inputs[0].segments[0]) }, line: line)
    }
    let outside = "reads outside of %1, which is 4×6×6"
    try view(outside) { $0.first = 1 }
    try view(outside) { $0.first = -1 }
    try view(outside) { $0.channels = 5 }
    try view(outside) { $0.channels = 0 }
    try view(outside) { $0.step = 0 }
    try view(outside) { $0.step = 4 }
    try view(outside) { $0.rowPhase = 1 }
    try view(outside) { $0.columnPhase = -1 }
    try view(outside) { $0.upsampling = 0 }
    try view(outside) { $0.target = -1 }
    try view(outside) { $0.targetStride = 0 }
    try view("reads views whose channels overlap or leave gaps") { $0.target = 1 }
    try view("reads views whose channels overlap or leave gaps") { $0.targetStride = 2 }
    try expect("%2 (conv2d layer, test:2) reads views whose channels overlap or leave gaps") {
      $0.nodes[2].inputs[0].segments.append($0.nodes[2].inputs[0].segments[0])
    }
    try expect("%2 (conv2d layer, test:2) joins views of different sizes") {
      var small = Segment(node: 0, channels: 1)
      small.step = 2
      small.target = 4
      $0.nodes[2].inputs[0].segments.append(small)
    }
  }

  @Test func parameters() throws {
    try expect("parameter c.weight twice") { $0.parameters.append($0.parameters[0]) }
    try expect("parameter c.bias has shape [0]") { $0.parameters[1].shape = [0] }
    try expect("%2 (conv2d layer, test:2) reads the parameter c.bias, which the graph does not list") {
      $0.parameters.removeLast()
    }
    try expect("%2 (conv2d layer, test:2): c.weight is [4, 4, 3, 5], but the layer needs [4, 4, 3, 3]") {
      $0.parameters[0].shape = [4, 4, 3, 5]
    }
  }

  @Test func outputs() throws {
    try expect("a graph without output") { $0.outputs = [] }
    try expect("the output reads %3, which does not come before it") { $0.outputs[0].segments[0].node = 3 }
    try expect("the output reads outside of %2, which is 4×6×6") { $0.outputs[0].segments[0].channels = 8 }
  }

  @Test func operationsCheckTheirInputs() throws {
    func refusal(_ op: Op, _ shapes: Shape...) -> String? {
      do {
        _ = try op.outputShape(shapes) { _ in nil }
        return nil
      } catch {
        return error.description
      }
    }
    let map = Shape(batch: 1, channels: 4, height: 6, width: 6)
    var other = map
    other.batch = 2
    #expect(refusal(.input) == "the input's shape is given, not inferred")
    #expect(refusal(.input, map) == "an input reads nothing")
    #expect(refusal(.softmax) == "softmax has no input")
    #expect(refusal(.concat, map, other) == "concat needs one height and width, but its inputs are 4×6×6, 4×6×6")
    #expect(
      refusal(.slice(first: 3, count: 2), map) == "a slice of channels 3..<5 is outside of its input, which is 4×6×6")
    #expect(
      refusal(.slice(first: 0, count: 0), map) == "a slice of channels 0..<0 is outside of its input, which is 4×6×6")
    #expect(refusal(.upsample(factor: 0), map) == "an upsampling factor must be 1 or more, not 0")
    #expect(
      refusal(.spaceToDepth(.init(scale: 1, order: .paper)), map) == "SpaceToDepth needs a scale of 2 or more, not 1")
    let boxes = Op.DecodeBoxes(classes: 1, anchorsPerLevel: 1, anchors: "a", strides: [8])
    #expect(refusal(.decodeBoxes(boxes), map) == "a level for 1 classes needs 6 channels, but it is 4×6×6")
    #expect(refusal(.decodeBoxes(boxes), map, map) == "1 strides, but 2 levels")
    let linear = Op.Linear(outputs: 2, weight: "w", bias: nil)
    let parameter = Parameter(name: "w", shape: [2, 5], role: .weight)
    let vector = Shape(batch: 1, channels: 4, height: 1, width: 1)
    #expect(throws: ShapeError("Linear's weight is [2, 5], but its input is 4×1×1")) {
      try Op.linear(linear).outputShape([vector]) { _ in parameter }
    }
    #expect(
      refusal(
        .batchNorm(.init(weight: "w", bias: "b", runningMean: "m", runningVariance: "v", epsilon: 0, momentum: 0)), map)
        == "batch normalisation has 0 channels, but its input is 4×6×6")
  }

  @Test func aPartOfAConvolutionsSums() throws {
    let conv = "%2 (conv2d layer, test:2)"
    func change(_ change: (inout Op.Convolution) -> Void) throws -> Graph {
      var graph = try sound().graph
      var op = try convolution(of: graph)
      change(&op)
      graph.nodes[2].op = .convolution(op)
      return graph
    }
    func expect(_ message: String, _ graph: Graph, line: Int = #line) {
      #expect(throws: GraphError("\(conv)\(message)"), "line \(line)") { try graph.verify() }
    }
    var part = try change { $0.totalInputChannels = 4 }
    part.nodes[2].inputs[0].segments[0].channels = 3
    try part.verify()
    part.nodes[2].inputs[0].segments[0].target = 1
    try part.verify()
    part.nodes[2].inputs[0].segments[0].target = 2
    expect(" reads views whose channels overlap or leave gaps", part)
    expect(
      ": c.weight is [4, 4, 3, 3], but the layer needs [4, 5, 3, 3]", try change { $0.totalInputChannels = 5 })
    expect(" reads views whose channels overlap or leave gaps", try change { $0.totalInputChannels = 3 })

    var started = try change { $0.epilogue.addsAccumulator = true }
    expect(": its sums start from a tensor, which has the bias already", started)
    started = try change {
      $0.epilogue.addsAccumulator = true
      $0.parts[0].bias = nil
    }
    expect(": its sums start from 4×6×6, but the convolution gives 4×6×6", started)
    started.nodes[2].inputs.append(Operand(started.nodes[0]).upsampled(by: 2))
    expect(": its sums start from 4×12×12, but the convolution gives 4×6×6", started)
    started.nodes[2].inputs[1] = Operand(started.nodes[0])
    try started.verify()
    var op = try convolution(of: started)
    op.epilogue.stages.append(.add)
    started.nodes[2].op = .convolution(op)
    expect(": the residual is 4×6×6, but the convolution gives 4×6×6", started)
    (op.epilogue.stages, op.groups) = ([], 2)
    started.nodes[2].op = .convolution(op)
    expect(": a part of a convolution's sums cannot have 2 groups", started)
  }

  @Test func aResidualHasTheShapeOfItsConvolution() throws {
    var graph = try sound().graph
    var op = try convolution(of: graph)
    op.epilogue.stages.append(.add)
    graph.nodes[2].op = .convolution(op)
    #expect(throws: GraphError("%2 (conv2d layer, test:2): the residual is 4×6×6, but the convolution gives 4×6×6")) {
      try graph.verify()
    }
    graph.nodes[2].inputs.append(Operand(graph.nodes[0]).upsampled(by: 2))
    #expect(throws: GraphError("%2 (conv2d layer, test:2): the residual is 4×12×12, but the convolution gives 4×6×6")) {
      try graph.verify()
    }
    graph.nodes[2].inputs[1] = Operand(graph.nodes[0])
    try graph.verify()
  }
}
