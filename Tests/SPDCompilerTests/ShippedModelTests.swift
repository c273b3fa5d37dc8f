import FoundationEssentials
import Models
import SPD
import Testing

@testable import SPDCompiler

/// The networks of the paper, against its numbers and the published checkpoints.
struct ShippedModelTests {
  @Test(arguments: [
    ("yolov5-spd-n", 2_256_157, 349), ("yolov5-spd-s", 8_771_389, 349), ("yolov5-spd-m", 24_646_557, 481),
    ("yolov5-spd-l", 52_707_709, 613),
    ("yolov5n", 1_872_157, 349), ("yolov5s", 7_235_389, 349), ("yolov5m", 21_190_557, 481),
    ("yolov5l", 46_563_709, 613),
    ("resnet18-spd", 20_565_576, 122), ("resnet50-spd", 27_654_026, 320),
    ("resnet18", 11_271_432, 122), ("resnet50", 23_520_842, 320),
  ])
  func parametersAndStateDictEntries(name: String, parameters: Int, entries: Int) {
    let graph = Shipped.graph(name)
    #expect(graph.parameterCount == parameters)
    #expect(graph.parameters.count == entries)
  }

  @Test func parametersByNumberOfClasses() throws {
    #expect(try resnet18SPD.graph(classes: 10).parameterCount == 20_468_106)
    #expect(try resnet18SPD.graph(classes: 100).parameterCount == 20_514_276)
    #expect(try resnet50SPD.graph(classes: 200).parameterCount == 28_043_336)
    #expect(try resnet18.graph(classes: 10).parameterCount == 11_173_962)
    #expect(try resnet50.graph(classes: 100).parameterCount == 23_705_252)
  }

  /// In hundredths of GFLOP, two per multiply-accumulate, at the size of the paper.
  @Test(arguments: [
    ("yolov5-spd-n", 879), ("yolov5-spd-s", 3374), ("yolov5-spd-m", 8780), ("yolov5-spd-l", 17820),
    ("yolov5n", 447), ("yolov5s", 1643), ("yolov5m", 4887), ("yolov5l", 10899),
    ("resnet18-spd", 213), ("resnet50-spd", 89), ("resnet18", 444), ("resnet50", 260),
  ])
  func convolutionWork(name: String, expected: Int) throws {
    let flops = convolutionFLOPs(Shipped.graph(name))
    #expect(Int((Double(flops) / 1e7).rounded()) == expected)
    // Passes move work, and only a split in front of upsampling saves any; a linear layer counts once it is a convolution.
    let linear = Shipped.graph(name).nodes.reduce(0) { sum, node in
      guard case .linear(let op) = node.op else { return sum }
      return sum + 2 * op.outputs * Shipped.graph(name).shape(of: node.inputs[0]).channels
    }
    let whole = try Pipeline.lowered(Shipped.graph(name), disabled: ["split-upsampled"])
    #expect(convolutionFLOPs(whole) == flops + linear)
    let lowered = Shipped.lowered(name)
    let saved = lowered.nodes.reduce(0) { sum, node in
      guard case .convolution(let op) = node.op, op.totalInputChannels != nil, !op.epilogue.addsAccumulator else {
        return sum
      }
      return sum + 3 * lowered.cost(of: node).flops
    }
    #expect(convolutionFLOPs(lowered) == flops + linear - saved)
    #expect((saved > 0) == name.hasPrefix("yolov5"))
  }

  private func convolutionFLOPs(_ graph: Graph) -> Int {
    graph.nodes.reduce(0) { sum, node in
      guard case .convolution(let op) = node.op else { return sum }
      return sum + 2 * node.shape.count * (graph.shape(of: node.inputs[0]).channels / op.groups) * op.kernel.area
    }
  }

  @Test func boxesOfTheImage() throws {
    for name in Shipped.names where name.hasPrefix("yolov5") {
      let graph = Shipped.graph(name)
      #expect(graph.shape(of: graph.outputs[0]) == Shape(batch: 1, channels: 1, height: 25200, width: 85))
    }
    let graph = Shipped.graph("yolov5-spd-s")
    guard case .decodeBoxes(let op) = graph.nodes.last?.op else {
      Issue.record("no boxes")
      return
    }
    #expect(op.strides == [8, 16, 32])
    guard case .constant(let anchors) = graph.parameter(op.anchors)?.role else {
      Issue.record("no anchors")
      return
    }
    #expect(Array(anchors.prefix(6)) == [1.25, 1.625, 2, 3.75, 4.125, 2.875])
    #expect(Array(anchors.suffix(2)) == [11.65625, 10.1875])
  }

  // MARK: - keys of the published checkpoints

  @Test func keysOfYOLOv5SPD() throws {
    for (name, bottlenecks) in [("yolov5-spd-n", 1), ("yolov5-spd-m", 2), ("yolov5-spd-l", 3)] {
      let names = Shipped.graph(name).parameters.map(\.name)
      #expect(
        Array(names.prefix(7)) == [
          "model.0.conv.conv.weight", "model.0.conv.bn.weight", "model.0.conv.bn.bias", "model.0.conv.bn.running_mean",
          "model.0.conv.bn.running_var", "model.0.conv.bn.num_batches_tracked", "model.1.conv.weight",
        ])
      #expect(
        Array(names.suffix(7)) == [
          "model.30.anchors", "model.30.m.0.weight", "model.30.m.0.bias", "model.30.m.1.weight", "model.30.m.1.bias",
          "model.30.m.2.weight", "model.30.m.2.bias",
        ])
      for expected in [
        "model.3.cv1.conv.weight", "model.3.cv3.bn.running_var", "model.3.m.\(bottlenecks - 1).cv2.conv.weight",
        "model.13.cv1.conv.weight", "model.13.cv2.bn.bias",
      ] {
        #expect(names.contains(expected), "\(expected)")
      }
      #expect(!names.contains("model.3.m.\(bottlenecks).cv2.conv.weight"))
      // No entries for what has no weights: a space-to-depth is 2, upsampling 15, concat 16.
      for number in [2, 5, 8, 11, 15, 16] { #expect(!names.contains { $0.hasPrefix("model.\(number).") }, "\(number)") }
    }
  }

  @Test func keysOfYOLOv5() throws {
    let names = Shipped.graph("yolov5s").parameters.map(\.name)
    #expect(names.first == "model.0.conv.weight")
    #expect(names.suffix(7).first == "model.24.anchors")
    #expect(names.last == "model.24.m.2.bias")
    #expect(Shipped.graph("yolov5s").parameters[0].shape == [32, 3, 6, 6])
    for expected in ["model.9.cv2.conv.weight", "model.17.m.0.cv1.conv.weight", "model.23.cv3.bn.weight"] {
      #expect(names.contains(expected), "\(expected)")
    }
  }

  @Test func keysOfResNets() throws {
    let shapes = { (model: String) in
      Dictionary(uniqueKeysWithValues: Shipped.graph(model).parameters.map { ($0.name, $0.shape) })
    }
    let basic = shapes("resnet18-spd")
    #expect(basic["conv1.conv.conv.weight"] == [64, 12, 1, 1])
    #expect(basic["conv1.conv.bn.running_mean"] == [64])
    #expect(basic["conv2_x.0.residual_function.3.weight"] == [64, 64, 3, 3])
    #expect(basic["conv2_x.0.shortcut.0.weight"] == nil)
    // Behind the space-to-depth: normalisation 2 and convolution 4 of four times the channels, normalisation 5.
    #expect(basic["conv3_x.0.residual_function.2.running_var"] == [512])
    #expect(basic["conv3_x.0.residual_function.4.weight"] == [128, 512, 3, 3])
    #expect(basic["conv3_x.0.residual_function.5.running_var"] == [128])
    #expect(basic["conv3_x.0.shortcut.0.weight"] == [128, 64, 1, 1])
    #expect(basic["conv3_x.1.residual_function.4.num_batches_tracked"] == [])
    #expect(basic["fc.weight"] == [200, 512])
    let bottleneck = shapes("resnet50-spd")
    #expect(bottleneck["conv2_x.0.residual_function.7.bias"] == [256])
    #expect(bottleneck["conv4_x.0.residual_function.5.weight"] == [1024])
    #expect(bottleneck["conv4_x.0.residual_function.7.weight"] == [1024, 1024, 1, 1])
    #expect(bottleneck["conv4_x.0.residual_function.8.running_mean"] == [1024])
    #expect(bottleneck["conv4_x.5.residual_function.6.weight"] == [1024, 256, 1, 1])
    #expect(bottleneck["fc.bias"] == [10])
    let strided = shapes("resnet50")
    #expect(strided["conv1.0.weight"] == [64, 3, 3, 3])
    #expect(strided["conv1.1.running_var"] == [64])
    #expect(strided["conv4_x.0.residual_function.7.running_mean"] == [1024])
    #expect(strided["conv4_x.0.residual_function.8.running_mean"] == nil)
  }

  // MARK: - graphs as files

  @Test(arguments: Shipped.names)
  func jsonRoundTrip(name: String) throws {
    for graph in [Shipped.graph(name), Shipped.lowered(name)] {
      let data = try JSONEncoder().encode(graph)
      #expect(try JSONDecoder().decode(Graph.self, from: data) == graph)
    }
  }

  @Test func theHashTellsNetworksApartAndNothingElse() throws {
    let hashes = Shipped.names.map { Shipped.graph($0).parameterHash }
    #expect(Set(hashes).count == hashes.count)
    let graph = try yolov5SPDN.graph()
    #expect(try yolov5SPDN.graph(size: 320, batch: 4).parameterHash == graph.parameterHash)
    #expect(try Pipeline.lowered(graph).parameterHash == graph.parameterHash)
    #expect(try yolov5SPDN.graph(classes: 3).parameterHash != graph.parameterHash)
  }

  @Test func theSpelledOutNetworkIsTheFunction() throws {
    let spelledOut = Shipped.graph("yolov5-spd-m")
    let function = try Model("yolov5-spd-m", input: .image(3, 640, 640), classes: 80, scope: "model") {
      yolov5SPD($0, classes: $1, scale: Scale(depth: 0.67, width: 0.75))
    }.graph()
    #expect(function.text == spelledOut.text)
    #expect(function.parameters == spelledOut.parameters)
  }
}
