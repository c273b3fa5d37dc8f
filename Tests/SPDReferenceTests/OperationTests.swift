import SPD
import SPDCompiler
import TestSupport
import Testing

/// All operations but convolution against results worked out by hand.
struct OperationTests {
  /// The results of one operation on one input.
  private func run(_ op: Op, _ channels: Int, _ height: Int, _ width: Int, _ input: [Float]) throws -> [Double] {
    var maker = GraphMaker(channels, height, width)
    _ = try maker.add(op, maker.input)
    return try maker.run(input)
  }

  @Test func batchNorm() throws {
    var maker = GraphMaker(2, 1, 2)
    let op = maker.norm("n", 2, epsilon: 1, [[2, 3], [10, 20], [1, 2], [3, 8]])
    _ = try maker.add(.batchNorm(op), maker.input)
    #expect(try maker.run([1, 5, 2, 8]) == [10, 14, 20, 26])
  }

  @Test(arguments: Op.SpaceToDepth.Order.allCases)
  func batchNormBehindSpaceToDepth(order: Op.SpaceToDepth.Order) throws {
    var maker = GraphMaker(2, 2, 2)
    let zeros = [Float](repeating: 0, count: 8)
    let ones = [Float](repeating: 1, count: 8)
    var op = maker.norm("n", 8, epsilon: 0, [ones, [0, 10, 20, 30, 40, 50, 60, 70], zeros, ones])
    op.enclosing = .init(scale: 2, order: order)
    _ = try maker.add(.batchNorm(op), maker.input)
    let expected: [Double] =
      switch order {
      case .paper: [0, 40, 20, 60, 10, 50, 30, 70]
      case .onnx: [0, 20, 40, 60, 10, 30, 50, 70]
      case .pixelUnshuffle: [0, 10, 20, 30, 40, 50, 60, 70]
      }
    #expect(try maker.run(zeros) == expected)
  }

  @Test func activations() throws {
    let x: [Float] = [-4, -1, 0, 1, 4]
    func apply(_ activation: Op.Activation) throws -> [Double] { try run(.activation(activation), 1, 1, 5, x) }
    #expect(try apply(.relu) == [0, 0, 0, 1, 4])
    #expect(try apply(.leakyReLU(slope: 0.25)) == [-1, -0.25, 0, 1, 4])
    #expect(try distance(apply(.hardswish), [0, -1.0 / 3, 0, 2.0 / 3, 4]) < 1e-15)
    let sigmoid = [0.017986209962091559, 0.26894142136999512, 0.5, 0.73105857863000488, 0.98201379003790845]
    #expect(try distance(apply(.sigmoid), sigmoid) < 1e-15)
    #expect(try distance(apply(.silu), zip(x, sigmoid).map { Double($0) * $1 }) < 1e-15)
  }

  @Test func sigmoidOfExtremes() throws {
    #expect(try run(.activation(.sigmoid), 1, 1, 2, [-1e4, 1e4]) == [0, 1])
    #expect(try run(.activation(.silu), 1, 1, 2, [-1e4, 1e4]) == [0, 1e4])
  }

  @Test func add() throws {
    var maker = GraphMaker(1, 1, 2)
    let relu = try maker.add(.activation(.relu), maker.input)
    _ = try maker.add(.add, maker.input, relu)
    #expect(try maker.run([-1, 2]) == [-1, 4])
  }

  @Test func concat() throws {
    var maker = GraphMaker(2, 1, 1, batch: 2)
    let relu = try maker.add(.activation(.relu), maker.input)
    _ = try maker.add(.concat, maker.input, relu)
    #expect(try maker.run([-1, 2, 3, -4]) == [-1, 2, 0, 2, 3, -4, 3, 0])
  }

  @Test func slice() throws {
    #expect(try run(.slice(first: 1, count: 2), 4, 1, 2, [1, 2, 3, 4, 5, 6, 7, 8]) == [3, 4, 5, 6])
  }

  @Test(arguments: Op.SpaceToDepth.Order.allCases)
  func spaceToDepth(order: Op.SpaceToDepth.Order) throws {
    // Tens: the channel; then row 0: 1 2, row 1: 3 4.
    let expected: [Double] =
      switch order {
      case .paper: [11, 21, 13, 23, 12, 22, 14, 24]
      case .onnx: [11, 21, 12, 22, 13, 23, 14, 24]
      case .pixelUnshuffle: [11, 12, 13, 14, 21, 22, 23, 24]
      }
    let op = Op.SpaceToDepth(scale: 2, order: order)
    #expect(try run(.spaceToDepth(op), 2, 2, 2, [11, 12, 13, 14, 21, 22, 23, 24]) == expected)
  }

  @Test func spaceToDepthKeepsRowsAndColumnsApart() throws {
    let op = Op.SpaceToDepth(scale: 2, order: .paper)
    #expect(try run(.spaceToDepth(op), 1, 2, 4, [1, 2, 3, 4, 5, 6, 7, 8]) == [1, 3, 5, 7, 2, 4, 6, 8])
    let three = Op.SpaceToDepth(scale: 3, order: .paper)
    #expect(try run(.spaceToDepth(three), 1, 3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9]) == [1, 4, 7, 2, 5, 8, 3, 6, 9])
  }

  @Test func upsample() throws {
    #expect(try run(.upsample(factor: 2), 1, 1, 2, [1, 2]) == [1, 1, 2, 2, 1, 1, 2, 2])
    #expect(try run(.upsample(factor: 3), 2, 1, 1, [5, 6]) == [5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6])
  }

  @Test func maxPoolIgnoresPadding() throws {
    let op = Op.Pool(kind: .max, kernel: 3, stride: 1, padding: 1)
    #expect(try run(.pool(op), 1, 2, 3, [-9, -8, -7, -6, -5, -4]) == [-5, -4, -4, -5, -4, -4])
    let strided = Op.Pool(kind: .max, kernel: 2, stride: 2, padding: 0)
    #expect(try run(.pool(strided), 1, 2, 5, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == [7, 9])
  }

  @Test func averagePoolCountsPadding() throws {
    let op = Op.Pool(kind: .average, kernel: 2, stride: 2, padding: 1)
    #expect(try run(.pool(op), 1, 2, 2, [4, 8, 12, 16]) == [1, 2, 3, 4])
    let wide = Op.Pool(kind: .average, kernel: Size2D(1, 2), stride: 1, padding: 0)
    #expect(try run(.pool(wide), 1, 1, 3, [1, 3, 7]) == [2, 5])
  }

  @Test func globalAveragePool() throws {
    #expect(try run(.globalAveragePool, 2, 1, 2, [1, 2, 3, 5]) == [1.5, 4])
  }

  @Test func flattenIsRowMajorAndLinearReadsIt() throws {
    var maker = GraphMaker(2, 1, 2, batch: 2)
    let flat = try maker.add(.flatten, maker.input)
    let weight = maker.parameter("fc.weight", [2, 4], .weight, [1, 10, 100, 1000, 0, 0, 0, 1])
    let bias = maker.parameter("fc.bias", [2], .bias, [0.5, -1])
    _ = try maker.add(.linear(.init(outputs: 2, weight: weight, bias: bias)), flat)
    #expect(try maker.run([1, 2, 3, 4, 5, 6, 7, 8]) == [4321.5, 3, 8765.5, 7])
  }

  @Test func softmaxOverChannels() throws {
    // e⁰ : e^(ln 3) = 1 : 3, for each pixel on its own and whatever is added to both.
    let ln3 = Float(1.0986122886681098)
    let result = try run(.softmax, 2, 1, 2, [0, 7, ln3, 7])
    #expect(distance(result, [0.25, 0.5, 0.75, 0.5]) < 1e-7)
    #expect(try run(.softmax, 2, 1, 1, [1e4, 1e4]) == [0.5, 0.5])
  }

  @Test func decodeBoxesOrdersRowsByLevelAnchorAndPixel() throws {
    // Two levels, two anchors, no class but one: six channels per anchor. The first level is 1×2, the second 1×1.
    var maker = GraphMaker(12, 2, 4)
    let fine = try maker.add(.pool(.init(kind: .max, kernel: 2, stride: 2, padding: 0)), maker.input)
    let coarse = try maker.add(.globalAveragePool, maker.input)
    let anchors = maker.parameter("anchors", [2, 2, 2], .constant([1, 2, 3, 4, 5, 6, 7, 8]))
    let op = Op.DecodeBoxes(classes: 1, anchorsPerLevel: 2, anchors: anchors, strides: [8, 16])
    let boxes = try maker.add(.decodeBoxes(op), fine, coarse)
    #expect(maker.graph.shape(of: boxes) == Shape(batch: 1, channels: 1, height: 6, width: 6))
    // Constant planes: s = ¼, ½, ½, 1, then 0.1 and 0.2 for anchor 0; ¾, 0, 1, ½, then 0.3 and 0.4 for anchor 1.
    let scores: [Float] = [0.25, 0.5, 0.5, 1, 0.1, 0.2, 0.75, 0, 1, 0.5, 0.3, 0.4]
    let found = try maker.run(scores.flatMap { [Float](repeating: $0, count: 8) })
    let expected: [[Double]] = [
      [0, 4, 8, 64, 0.1, 0.2], [8, 4, 8, 64, 0.1, 0.2],
      [8, -4, 96, 32, 0.3, 0.4], [16, -4, 96, 32, 0.3, 0.4],
      [0, 8, 80, 384, 0.1, 0.2],
      [16, -8, 448, 128, 0.3, 0.4],
    ]
    #expect(distance(found, expected.flatMap { $0 }) < 1e-6)
  }

  @Test func decodeBoxesCountsRows() throws {
    var maker = GraphMaker(6, 2, 1, batch: 2)
    let anchors = maker.parameter("anchors", [1, 1, 2], .constant([1, 1]))
    let op = Op.DecodeBoxes(classes: 1, anchorsPerLevel: 1, anchors: anchors, strides: [4])
    _ = try maker.add(.decodeBoxes(op), maker.input)
    let found = try maker.run([Float](repeating: 0.5, count: 12) + [Float](repeating: 0.25, count: 12))
    let half = [2, 2, 4, 4, 0.5, 0.5, 2, 6, 4, 4, 0.5, 0.5]
    let quarter = [0, 0, 1, 1, 0.25, 0.25, 0, 4, 1, 1, 0.25, 0.25]
    #expect(found == half + quarter)
  }
}
