import SPD
import SPDCompiler
import SPDReference
import TestSupport
import Testing

/// The inputs, results and errors of a run.
struct RunTests {
  /// Channel c, row y, column x is 100·c + 10·y + x.
  private func image(_ channels: Int, _ height: Int, _ width: Int) -> [Float] {
    let shape = Shape(batch: 1, channels: channels, height: height, width: width)
    return Values(shape) { _, c, y, x in Double(100 * c + 10 * y + x) }.floats
  }

  @Test func aSegmentReindexesWithEveryField() throws {
    var maker = GraphMaker(4, 4, 6)
    var even = Segment(node: 0, channels: 2)
    even.first = 1
    even.step = 2
    even.rowPhase = 1
    even.columnPhase = 0
    even.targetStride = 2
    var odd = even
    odd.first = 2
    odd.rowPhase = 0
    odd.columnPhase = 1
    odd.target = 1
    _ = try maker.add(.copy, Operand(segments: [even, odd]))
    #expect(
      try maker.run(image(4, 4, 6)) == [
        110, 112, 114, 130, 132, 134, 201, 203, 205, 221, 223, 225,
        210, 212, 214, 230, 232, 234, 301, 303, 305, 321, 323, 325,
      ])
  }

  @Test func aSegmentIsSampledBeforeItIsEnlarged() throws {
    var maker = GraphMaker(1, 3, 6)
    var view = Segment(node: 0, channels: 1)
    view.step = 3
    view.rowPhase = 2
    view.columnPhase = 1
    view.upsampling = 2
    _ = try maker.add(.copy, Operand(segments: [view]))
    #expect(try maker.run(image(1, 3, 6)) == [21, 21, 24, 24, 21, 21, 24, 24])
  }

  @Test func viewsOfSeveralImages() throws {
    var maker = GraphMaker(2, 1, 1, batch: 2)
    var view = Segment(node: 0, channels: 1)
    view.first = 1
    _ = try maker.add(.copy, Operand(segments: [view]))
    #expect(try maker.run([1, 2, 3, 4]) == [2, 4])
  }

  @Test func outputsMayBeSeveralAndViews() throws {
    var maker = GraphMaker(2, 1, 1)
    let relu = try maker.add(.activation(.relu), maker.input)
    var second = Segment(node: 0, channels: 1)
    second.first = 1
    maker.setOutputs(relu, Operand(segments: [second]))
    #expect(try maker.interpreter().outputs(input: [-1, -2]) == [[0, 0], [-2]])
    #expect(try maker.interpreter().results(input: [-1, -2])[1].shape.channels == 1)
  }

  @Test func keepsOnlyWhatOutputsRead() throws {
    var maker = GraphMaker(1, 1, 2)
    let relu = try maker.add(.activation(.relu), maker.input)
    let twice = try maker.add(.add, relu, relu)
    _ = try maker.add(.add, twice, relu)
    let interpreter = maker.interpreter()
    #expect(try interpreter.run(input: [-1, 2]).mapValues(\.floats) == [3: [0, 6]])
    #expect(
      try interpreter.run(input: [-1, 2], keepAll: true).mapValues(\.floats)
        == [0: [-1, 2], 1: [0, 2], 2: [0, 4], 3: [0, 6]])
  }

  @Test func reportsEachNode() throws {
    var maker = GraphMaker(1, 1, 1)
    _ = try maker.add(.activation(.relu), maker.input)
    var nodes: [Node.ID: [Double]] = [:]
    var progress: [Int] = []
    _ = try maker.interpreter().run(
      input: [3], onNode: { nodes[$0.id] = $1.elements }, progress: { progress += [$0, $1] })
    #expect(nodes == [0: [3], 1: [3]])
    #expect(progress == [0, 2, 1, 2, 2, 2])
  }

  @Test func singlePrecisionRoundsEachResult() throws {
    var maker = GraphMaker(1, 1, 1)
    let first = maker.part("a", 1, of: 1, kernel: 1, weight: [1], bias: [0x1p-30])
    let one = try maker.add(.convolution(.init(kernel: 1, first)), maker.input)
    let second = maker.part("b", 1, of: 1, kernel: 1, weight: [1], bias: [-1])
    _ = try maker.add(.convolution(.init(kernel: 1, second)), one)
    #expect(try maker.run([1], precision: .single) == [0])
    #expect(try maker.run([1], precision: .double) == [0x1p-30])
  }

  @Test func refusesWhatDoesNotFit() throws {
    var maker = GraphMaker(1, 1, 2)
    let part = maker.part("c", 1, of: 1, kernel: 1, weight: [1], bias: [1, 2])
    _ = try maker.add(.convolution(.init(kernel: 1, part)), maker.input)
    #expect(throws: InterpreterError("the input has 3 values, but test reads 1×1×1×2")) { try maker.run([1, 2, 3]) }
    #expect(throws: InterpreterError("c.bias has 2 values, but its reader needs 1")) { try maker.run([1, 2]) }
    let graph = maker.graph
    let unknown = Interpreter(graph: graph) { throw InterpreterError("no \($0)") }
    #expect(throws: InterpreterError("no c.weight")) { try unknown.run(input: [1, 2]) }
    maker.setOutputs()
    #expect(throws: GraphError("a graph without output")) { try maker.run([1, 2]) }
  }
}
