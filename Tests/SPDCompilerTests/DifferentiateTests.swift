import SPD
import TestSupport
import Testing

@testable import SPDCompiler
@testable import SPDReference

@Suite("differentiate") struct DifferentiateTests {
  /// Each network has what one line of the differentiation is for.
  static let networks: [(String, @Sendable (Tensor) -> Tensor)] = [
    (
      "conv, norm, every activation",
      {
        $0.through(
          Conv2D(8, kernel: 3, bias: false), BatchNorm(), ReLU(), Conv2D(8, kernel: 3), BatchNorm(), SiLU(),
          Conv2D(8, kernel: 1), BatchNorm(), LeakyReLU(0.1), Conv2D(8, kernel: 1), BatchNorm(), Sigmoid(),
          Conv2D(8, kernel: 1), BatchNorm(), Hardswish(), GlobalAveragePool(), Flatten(), Linear(5))
      }
    ),
    (
      "space-to-depth for two readers, of the image, and phases",
      { x in
        let a = x.through(SpaceToDepth(), Conv(20, kernel: 3), Conv2D(20, kernel: 3, bias: false))
        let b = a.through(SpaceToDepth(), BatchNorm(), ReLU())
        let left = Conv(8, kernel: 1)(b)
        let right = Conv(8, kernel: 3)(b)
        return (left + right).through(GlobalAveragePool(), Flatten(), Linear(4))
      }
    ),
    (
      "concat, slices, upsampling, sums of several readers",
      { x in
        let a = Conv(32, kernel: 3)(x)
        let low = Conv(16, kernel: 3, stride: 2)(a)
        let both = concat(low.upsampled(2), a)
        let c = Conv(16, kernel: 1)(both)
        let d = Conv(16, kernel: 3)(concat(c, c.channels(0..<16), a.channels(16..<32), low.upsampled(2)))
        return (c + d).through(MaxPool(2), GlobalAveragePool(), Flatten(), Linear(4))
      }
    ),
    (
      "strides, paddings, dilation, pools, a linear layer over a map",
      { x in
        let a = x.through(Conv(8, kernel: 6, stride: 2, padding: 2), Conv2D(8, kernel: 3, padding: 0), SiLU())
        let b = a.through(Conv2D(12, kernel: 3, padding: 2, dilation: 2), MaxPool(5, stride: 1, padding: 2))
        let c = b.through(Conv2D(12, kernel: 1, stride: 2), AveragePool(3, stride: 1, padding: 1))
        return c.through(Flatten(), Linear(4))
      }
    ),
  ]

  private static func differentiated(_ index: Int, disabled: Set<String> = []) throws -> Graph {
    let graph = try traced(3, 16, 16, batch: 2, networks[index].1)
    return try Pipeline.lowered(graph, disabled: disabled, mode: .training)
  }

  @Test(
    "the gradient is the loss's slope", arguments: networks.indices,
    (testsLongMatrix ? [["fuse-normalize"]] : []) + [
      [], ["hoist-over-space-to-depth", "fuse-space-to-depth", "elide-concat", "elide-upsample"],
    ])
  func slope(_ index: Int, _ disabled: [String]) throws {
    let graph = try Self.differentiated(index, disabled: Set(disabled))
    let input = syntheticInput(graph.input.shape)
    var values: [String: [Float]] = [:]
    for parameter in graph.parameters { values[parameter.name] = syntheticParameter(parameter) }
    // The loss along a direction, with steps that float parameters take exactly: direction in multiples of 2^-k.
    func step(_ name: String?, _ direction: [Float], _ sign: Float) throws -> TrainingResult {
      try Interpreter(graph: graph, precision: .double) { key in
        key == name ? zip(values[key]!, direction).map { $0 + sign * $1 } : values[key]!
      }.trainingStep(input: input, labels: [0, 1])
    }
    let result = try step(nil, [], 0)
    for parameter in graph.parameters where parameter.role.isTrainable {
      let gradient = try #require(result.gradients[parameter.name], "no gradient of \(parameter.name)")
      #expect(gradient.count == parameter.count)
      let random = uniform("direction " + parameter.name, parameter.count)
      let old = values[parameter.name]!
      // What the sum in float really moved by.
      let direction = zip(old, random).map { old, r in (old + (r - 0.5) * 0x1p-14) - old }
      let backward = zip(old, direction).map { $0 - ($0 - $1) }
      #expect(zip(direction, backward).allSatisfy { abs($0 - $1) <= abs($0) * 1e-3 + 1e-7 })
      let up = try step(parameter.name, direction, 1).losses[0],
        down = try step(parameter.name, direction, -1).losses[0]
      let slope = zip(gradient, direction).reduce(0.0) { $0 + $1.0 * Double($1.1) }
      let size = zip(gradient, direction).reduce(0.0) { $0 + abs($1.0 * Double($1.1)) }
      #expect(abs((up - down) / 2 - slope) <= 2e-3 * size + 1e-12, "\(parameter.name): \((up - down) / 2) and \(slope)")
    }
  }

  @Test func text() throws {
    let graph = try traced(16, 4, 4, batch: 2) {
      $0.through(Conv2D(16, kernel: 3), SpaceToDepth(), Conv2D(8, kernel: 1), GlobalAveragePool(), Flatten(), Linear(4))
    }
    #expect(
      try Pipeline.lowered(graph, mode: .training).brief == """
        %0 = input()  16×4×4
        %8 = copy(%0)  16×4×4
        %1 = conv2d(%8) k=3 p=1 16→16  16×4×4
        %3 = conv2d(%1[::2,::2] ++ %1[1::2,::2] ++ %1[::2,1::2] ++ %1[1::2,1::2]) k=1 64→8  8×2×2
        %4 = global_average_pool(%3)  8×1×1
        %6 = conv2d(%4) k=1 8→4  4×1×1
        %9 = gradient() of=%6  4×1×1
        %7 = cross_entropy(%6) → %9  4×1×1
        %10 = weight_gradient(%4, %9) k=1 5.weight  4×1×1
        %11 = gradient() of=%4  8×1×1
        %12 = conv2d(%9) k=1 adjoint=[0]×[0] 4→16 → %11  16×1×1
        %13 = gradient() of=%3  8×2×2
        %14 = global_average_gradient(%11) → %13  8×2×2
        %15 = weight_gradient(%1[::2,::2] ++ %1[1::2,::2] ++ %1[::2,1::2] ++ %1[1::2,1::2], %13) k=1 2.weight  8×1×1
        %16 = gradient() of=%1  16×4×4
        %17 = conv2d(%13) k=1 adjoint=[0]×[0] 8→64 → %16[::2,::2] ++ %16[1::2,::2] ++ %16[::2,1::2] ++ %16[1::2,1::2]  64×2×2
        %18 = weight_gradient(%8, %16) k=3 0.weight  16×1×1
        return %6

        """)
  }

  /// A convolution over fewer rows than its stride has no second phase.
  @Test func fewerRowsThanTheStride() throws {
    let graph = try Pipeline.lowered(
      try traced(3, 1, 9, batch: 2) {
        $0.through(
          Conv2D(8, kernel: 3), SiLU(), Conv2D(8, kernel: 3, stride: 2), GlobalAveragePool(), Flatten(), Linear(4))
      }, mode: .training)
    let phases = graph.nodes.filter { if case .convolution(let op) = $0.op { op.adjoint != nil } else { false } }
    #expect(phases.map { graph.shape(of: Operand($0)).height } == [1, 1, 1])
  }

  @Test func theLossReadsASlice() throws {
    let graph = try Pipeline.lowered(
      try traced(3, 4, 4, batch: 2) { $0.through(GlobalAveragePool(), Flatten(), Linear(36)).channels(32..<36) },
      mode: .training)
    let loss = try #require(graph.nodes.first { $0.op == .training(.loss(.crossEntropy)) })
    #expect(graph.shape(of: loss.inputs[0]).channels == 4 && loss.inputs[0].wholeNode(in: graph) != nil)
  }

  @Test func whatDoesNotTrain() throws {
    func message(
      _ channels: Int = 4, _ size: Int = 8, batch: Int = 2, _ body: @escaping @Sendable (Tensor) -> Tensor
    ) throws -> String {
      let error = #expect(throws: GraphError.self) {
        try Pipeline.lowered(
          try traced(channels, size, size, batch: batch) {
            body($0).through(GlobalAveragePool(), Flatten(), Linear(4))
          }, mode: .training)
      }
      // What comes before is the line.
      return (error?.description).map { String($0[($0.firstRange(of: ": ")?.upperBound ?? $0.startIndex)...]) } ?? ""
    }
    #expect(
      try message { $0.through(Conv2D(8, kernel: 3, groups: 2)) }
        == "spdc does not train grouped convolutions (layer 0, groups 2)")
    #expect(
      try message { $0.through(Conv2D(8, kernel: 3), Activation("root") { x in sqrt(abs(x)) }) }
        .hasPrefix("spdc does not train through root (layer 1): its slope at 0, which padding is, is "))
    #expect(
      try message { $0.through(Conv2D(8, kernel: 3, stride: Size2D(1, 2))) }.hasPrefix(
        "spdc does not train a convolution with dilation beside a stride, or two different strides"))
    #expect(
      try message(4, 2, batch: 1) { $0.through(Conv2D(8, kernel: 2, padding: 0), BatchNorm()) }
        == "the layer 1 normalises 8×1×1 of one image: one value for each channel has no variance to train with: take a "
        + "larger --batch or --size")
    let nothing = try traced(4, 8, 8) { $0.through(GlobalAveragePool(), Flatten()) }
    let error = #expect(throws: GraphError.self) { try Pipeline.lowered(nothing, mode: .training) }
    #expect(error?.description.contains("nothing trains before the loss") == true)

    // The DSL shares no parameters; a graph file can.
    var shared = try traced(4, 8, 8) {
      $0.through(Conv2D(4, kernel: 3), Conv2D(4, kernel: 3), GlobalAveragePool(), Flatten())
    }
    guard case .convolution(let first) = shared.nodes[1].op else { return #expect(Bool(false), "a convolution") }
    shared.nodes[2].op = .convolution(first)
    let twice = #expect(throws: GraphError.self) { try Pipeline.lowered(shared, mode: .training) }
    #expect(
      twice?.description.hasSuffix(
        "spdc does not train shared parameters: 0.weight is read by the layers 0 and 1; give each its own") == true)
  }
}
