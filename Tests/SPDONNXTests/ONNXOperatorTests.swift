import SPD
import Testing

@testable import SPDONNX

@Suite struct ONNXOperatorTests {
  @Test func convolution() throws {
    let graph = try exported {
      Conv2D(
        6, kernel: Size2D(3, 5), stride: Size2D(2, 1), padding: Size2D(1, 3), dilation: Size2D(1, 2), groups: 3)($0)
    }
    let node = graph.node[0]
    #expect(graph.types == ["Conv"])
    #expect(node.input == ["images", "0.weight", "0.bias"])
    #expect(node.output == ["output"])
    #expect(node.ints("kernel_shape") == [3, 5])
    #expect(node.ints("strides") == [2, 1])
    #expect(node.ints("pads") == [1, 3, 1, 3])
    #expect(node.ints("dilations") == [1, 2])
    #expect(node.int("group") == 3)
    #expect(try exported { Conv2D(6, kernel: 1, bias: false)($0) }.node[0].input == ["images", "0.weight"])
  }

  @Test func batchNorm() throws {
    let node = try exported { BatchNorm(epsilon: 1e-3)($0) }.node[0]
    #expect(node.opType == "BatchNormalization")
    #expect(node.input == ["images", "0.weight", "0.bias", "0.running_mean", "0.running_var"])
    #expect(node.float("epsilon") == 1e-3)
  }

  @Test func activations() throws {
    let graph = try exported { $0.through(ReLU(), LeakyReLU(0.1), Sigmoid(), Hardswish(), SiLU()) }
    #expect(graph.types == ["Relu", "LeakyRelu", "Sigmoid", "HardSwish", "Sigmoid", "Mul"])
    #expect(graph.node[1].float("alpha") == 0.1)
    #expect(graph.node[5].input == graph.node[3].output + graph.node[4].output)
  }

  /// What has no operator is written as the arithmetic of its formula.
  @Test func activationsByFormula() throws {
    let graph = try exported { $0.through(ELU(0.5), ReLU6(), Mish(), Activation("step") { x in abs(x) - max(x, 1) }) }
    #expect(
      graph.types == ["Elu", "Max", "Min", "Softplus", "Tanh", "Mul", "Sign", "Mul", "Max", "Sub"])
    #expect(graph.node[0].float("alpha") == 0.5)
    #expect(graph.floats(graph.node[2].input[0]) == [6])
    let learned = try exported { $0.through(PReLU(perChannel: true), GlobalAveragePool(), Linear(4), PReLU()) }
    #expect(learned.types == ["Reshape", "PRelu", "GlobalAveragePool", "Reshape", "Gemm", "PRelu"])
    #expect(learned.node[5].input == learned.node[4].output + ["3.weight"])
    #expect(try exported { $0.through(Hardsigmoid()) }.node[0].float("alpha") == 1 / 6)
  }

  @Test func joinsAndSlices() throws {
    let graph = try exported { concat($0 + $0, $0.channels(1..<3)) }
    #expect(graph.types == ["Add", "Slice", "Concat"])
    #expect(graph.node[1].input.dropFirst().map(graph.ints) == [[1], [3], [1]])
    #expect(graph.node[2].input == graph.node[0].output + graph.node[1].output)
    #expect(graph.node[2].int("axis") == 1)
  }

  @Test func upsample() throws {
    let graph = try exported { $0.upsampled(3) }
    let node = graph.node[0]
    #expect(node.opType == "Resize")
    #expect(node.input[1].isEmpty)
    #expect(graph.floats(node.input[2]) == [1, 1, 3, 3])
    #expect(node.string("mode") == "nearest")
    #expect(node.string("coordinate_transformation_mode") == "asymmetric")
    #expect(node.string("nearest_mode") == "floor")
  }

  @Test func pools() throws {
    let graph = try exported {
      $0.through(MaxPool(Size2D(3, 2), stride: 1, padding: 1), AveragePool(2, padding: 1), GlobalAveragePool())
    }
    #expect(graph.types == ["MaxPool", "AveragePool", "GlobalAveragePool", "Reshape"])
    #expect(graph.node[0].ints("kernel_shape") == [3, 2])
    #expect(graph.node[0].ints("strides") == [1, 1])
    #expect(graph.node[0].ints("pads") == [1, 1, 1, 1])
    #expect(graph.node[1].int("count_include_pad") == 1)
    #expect(graph.ints(graph.node[3].input[1]) == [2, 3])
  }

  @Test func vectors() throws {
    let graph = try exported { $0.through(Flatten(), Linear(5), Flatten(), Linear(4, bias: false), Softmax()) }
    #expect(graph.types == ["Flatten", "Gemm", "Gemm", "Softmax"])
    #expect(graph.node[1].input.dropFirst() == ["1.weight", "1.bias"])
    #expect(graph.node[2].input.count == 2)
    #expect(graph.node[1].int("transB") == 1)
    #expect(graph.node[3].int("axis") == 1)
    #expect(graph.output[0].dims == [2, 4])
  }

  @Test func vectorsAmongMapsAreReshaped() throws {
    let graph = try exported { $0.through(Flatten(), Linear(3)) + $0.through(GlobalAveragePool()) }
    #expect(graph.types == ["Flatten", "Gemm", "GlobalAveragePool", "Reshape", "Add", "Reshape"])
    #expect(graph.ints(graph.node[3].input[1]) == [2, 3, 1, 1])
  }

  @Test(arguments: [2, 3]) func onnxHasASpaceToDepthOfItsOwn(scale: Int) throws {
    let graph = try exported { SpaceToDepth(scale: scale, order: .onnx)($0) }
    #expect(graph.types == ["SpaceToDepth"])
    #expect(graph.node[0].int("blocksize") == scale)
  }

  /// Follows every element through reshape, transposition and reshape.
  @Test(arguments: [Op.SpaceToDepth.Order.paper, .pixelUnshuffle], [2, 3])
  func otherOrdersAreTranspositions(order: Op.SpaceToDepth.Order, scale: Int) throws {
    let graph = try exported { SpaceToDepth(scale: scale, order: order)($0) }
    #expect(graph.types == ["Reshape", "Transpose", "Reshape"])
    let (height, width) = (12 / scale, 18 / scale)
    let axes = [2, 3, height, scale, width, scale]
    #expect(graph.ints(graph.node[0].input[1]) == axes)
    #expect(graph.ints(graph.node[2].input[1]) == [2, 3 * scale * scale, height, width])
    let order6 = try #require(graph.node[1].ints("perm"))

    let op = Op.SpaceToDepth(scale: scale, order: order)
    for c in 0..<3 {
      for (r, q) in op.phases {
        let index = [1, c, height - 1, r, 0, q]
        let position = order6.reduce(0) { $0 * axes[$1] + index[$1] }
        let target = op.outputChannels(rowPhase: r, columnPhase: q, of: 3)
        let channel = target.first + c * target.stride
        #expect(position == ((3 * scale * scale + channel) * height + height - 1) * width)
      }
    }
  }

  @Test func boxes() throws {
    let graph = try exported { image in
      Detect(classes: 2, anchors: .init([[(10, 13), (16, 30)], [(5, 8), (33, 23)]]))(
        Conv2D(14, kernel: 1)(image), Conv2D(14, kernel: 1, stride: 6)(image))
    }
    let level = ["Reshape", "Transpose", "Split", "Mul", "Add", "Mul", "Mul", "Concat", "Reshape"]
    #expect(graph.types == ["Conv", "Conv", "Conv", "Sigmoid", "Conv", "Sigmoid"] + level + level + ["Concat"])
    let second = Array(graph.node[15..<24])
    #expect(graph.ints(second[0].input[1]) == [2, 2, 7, 2, 3])
    #expect(second[1].ints("perm") == [0, 1, 3, 4, 2])
    #expect(graph.ints(second[2].input[1]) == [2, 2, 3])
    #expect(graph.floats(second[3].input[1]) == [12])
    #expect(graph.dims(second[4].input[1]) == [1, 1, 2, 3, 2])
    #expect(graph.floats(second[4].input[1]) == [-3, -3, 3, -3, 9, -3, -3, 3, 3, 3, 9, 3])
    #expect(second[5].input == [second[2].output[1], second[2].output[1]])
    // Anchors in the test are 0 … 7 strides, whatever the architecture says.
    #expect(graph.floats(second[6].input[1]) == [4, 5, 6, 7].map { $0 * 24 })
    #expect(second[7].input == second[4].output + second[6].output + [second[2].output[2]])
    #expect(graph.ints(second[8].input[1]) == [2, 12, 7])
    #expect(graph.output[0].dims == [2, 2 * 12 * 18 + 12, 7])
    #expect(!graph.initializer.contains { $0.name == "2.anchors" })
  }
}
