import SPD
import SPDCompiler
import TestSupport
import Testing

/// Convolutions against results worked out by hand.
struct ConvolutionTests {
  private let nine: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9]

  @Test func slidesTheKernelWithoutFlippingIt() throws {
    var maker = GraphMaker(1, 3, 3)
    let part = maker.part("c", 2, of: 1, kernel: 2, weight: [1, 0, 0, 0, 0, 10, 100, 0], bias: [0.5, -1])
    _ = try maker.add(.convolution(.init(kernel: 2, part)), maker.input)
    #expect(try maker.run(nine) == [1.5, 2.5, 4.5, 5.5, 419, 529, 749, 859])
  }

  @Test func paddingIsZero() throws {
    var maker = GraphMaker(1, 3, 3)
    let part = maker.part("c", 1, of: 1, kernel: 3, weight: [1, 1, 1, 1, 1, 1, 1, 1, 1])
    _ = try maker.add(.convolution(.init(kernel: 3, padding: 1, part)), maker.input)
    #expect(try maker.run(nine) == [12, 21, 16, 27, 45, 33, 24, 39, 28])
  }

  @Test func paddingWiderThanTheInput() throws {
    var maker = GraphMaker(1, 1, 1)
    let part = maker.part("c", 1, of: 1, kernel: Size2D(1, 3), weight: [1, 2, 3])
    _ = try maker.add(.convolution(.init(kernel: Size2D(1, 3), padding: Size2D(0, 3), part)), maker.input)
    #expect(try maker.run([2]) == [0, 6, 4, 2, 0])
  }

  @Test func strideAndDilationByAxis() throws {
    // Rows 0 and 2 (dilation 2), every second column.
    var maker = GraphMaker(1, 3, 4)
    let part = maker.part("c", 1, of: 1, kernel: Size2D(2, 1), weight: [1, 10])
    let op = Op.Convolution(kernel: Size2D(2, 1), stride: Size2D(1, 2), dilation: Size2D(2, 1), part)
    _ = try maker.add(.convolution(op), maker.input)
    #expect(try maker.run([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) == [91, 113])
  }

  @Test func stridedWithPadding() throws {
    var maker = GraphMaker(1, 3, 3)
    let part = maker.part("c", 1, of: 1, kernel: 3, weight: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    _ = try maker.add(.convolution(.init(kernel: 3, stride: 2, padding: 1, part)), maker.input)
    // Top left: 1·5 + 2·6 + 4·8 + 5·9; top right: 2·4 + 3·5 + 5·7 + 6·8.
    #expect(try maker.run(nine) == [94, 106, 106, 94])
  }

  @Test func sumsOverInputChannelsAndImages() throws {
    var maker = GraphMaker(2, 1, 2, batch: 2)
    let part = maker.part("c", 1, of: 2, kernel: 1, weight: [1, 10])
    _ = try maker.add(.convolution(.init(kernel: 1, part)), maker.input)
    #expect(try maker.run([1, 2, 3, 4, 5, 6, 7, 8]) == [31, 42, 75, 86])
  }

  @Test func groupsReadTheirOwnChannels() throws {
    var maker = GraphMaker(4, 1, 1)
    let part = maker.part("c", 2, of: 2, kernel: 1, weight: [1, 10, 100, 1000])
    _ = try maker.add(.convolution(.init(kernel: 1, groups: 2, part)), maker.input)
    #expect(try maker.run([1, 2, 3, 4]) == [21, 4300])
  }

  @Test func partsFollowEachOther() throws {
    var maker = GraphMaker(1, 1, 2)
    var first = maker.part("a", 1, of: 1, kernel: 1, weight: [2], bias: [1])
    first.batchNorm = maker.norm("n", 1, epsilon: 1, [[3], [10], [2], [3]])
    let second = maker.part("b", 2, of: 1, kernel: 1, weight: [5, 7])
    _ = try maker.add(.convolution(.init(kernel: 1, first, second)), maker.input)
    // 3·(2x + 1 − 2)/√(3 + 1) + 10
    #expect(try maker.run([1, 2]) == [11.5, 14.5, 5, 10, 7, 14])
  }

  @Test func epilogueIsActivationThenResidualThenActivation() throws {
    var maker = GraphMaker(1, 1, 3)
    let part = maker.part("c", 1, of: 1, kernel: 1, weight: [2])
    var op = Op.Convolution(kernel: 1, part)
    op.epilogue.stages.append(.activate(.leakyReLU(slope: 0.5)))
    op.epilogue.stages.append(.add)
    op.epilogue.stages.append(.activate(.relu))
    let residual = try maker.add(.activation(.leakyReLU(slope: 2)), maker.input)
    _ = try maker.add(.convolution(op), maker.input, residual)
    #expect(try maker.run([-3, 1, 4]) == [0, 3, 12])
  }

  @Test func phaseNormDependsOnRowAndColumn() throws {
    var maker = GraphMaker(1, 2, 2)
    let part = maker.part("c", 1, of: 1, kernel: 1, weight: [1])
    var op = Op.Convolution(kernel: 1, part)
    var norm = maker.norm("n", 4, epsilon: 0, [[1, 1, 1, 1], [10, 20, 30, 40], [0, 0, 0, 0], [1, 1, 1, 1]])
    norm.enclosing = .init(scale: 2, order: .paper)
    op.epilogue.stages = [.normalizeByPhase(norm)]
    _ = try maker.add(.convolution(op), maker.input)
    // The paper's channels are r + 2q: (0,0), (1,0), (0,1), (1,1).
    #expect(try maker.run([1, 2, 3, 4]) == [11, 32, 23, 44])
  }

  /// A convolution that makes the sums of some input channels, and one that makes the others' from there on.
  @Test func sumsStartFromATensor() throws {
    var maker = GraphMaker(3, 1, 2)
    var part = maker.part("c", 1, of: 3, kernel: 1, weight: [1, 10, 100], bias: [7])
    part.batchNorm = maker.norm("n", 1, epsilon: 0, [[3], [5], [2], [4]])
    var low = Segment(node: 0, channels: 2)
    low.targetStride = 2
    var high = Segment(node: 0, channels: 1)
    (high.first, high.target) = (2, 1)
    var first = Op.Convolution(kernel: 1, part)
    first.totalInputChannels = 3
    let start = try maker.add(.convolution(first), Operand(segments: [low]))
    // 3/√4·(a + 100b + 7 − 2) + 5
    #expect(try maker.run([1, 2, 3, 4, 5, 6]) == [464, 615.5])
    var second = first
    second.parts[0].bias = nil
    second.epilogue.addsAccumulator = true
    second.epilogue.stages.append(.add)
    _ = try maker.add(.convolution(second), Operand(segments: [high]), start, start)
    let expected: [Double] = [464 + 75 + 464, 615.5 + 90 + 615.5]
    #expect(try maker.run([1, 2, 3, 4, 5, 6]) == expected)
  }

  @Test func linearWeightServesAsAConvolution() throws {
    var maker = GraphMaker(1, 1, 2)
    let weight = maker.parameter("fc.weight", [1, 2], .weight, [3, 4])
    let part = Op.Convolution.Part(outputs: 1, weight: weight, bias: nil)
    _ = try maker.add(.convolution(.init(kernel: Size2D(1, 2), part)), maker.input)
    #expect(try maker.run([1, 2]) == [11])
  }
}
