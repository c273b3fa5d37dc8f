import Foundation
import SPD
import Testing

@testable import SPDONNX

@Suite struct ONNXModelTests {
  @Test func header() throws {
    let model = try reread(traced { ReLU()($0) })
    #expect(model.irVersion == 8)
    #expect(model.opsetImport.map(\.version) == [17])
    #expect(model.producerName == "spdc")
    #expect(model.producerVersion == "1.2")
    #expect(model.graph.name == "small")
    #expect(model.metadataProps.isEmpty)
    #expect(model.graph.input.map(\.name) == ["images"])
    #expect(model.graph.input[0].dims == [2, 3, 12, 18])
    #expect(model.graph.input[0].type.tensorType.elemType == 1)
    #expect(model.graph.output.map(\.name) == ["output"])
    #expect(model.graph.output[0].dims == [2, 3, 12, 18])
  }

  @Test func severalOutputsOfWhichSomeAreOneTensor() throws {
    let graph = try reread(
      traced {
        let relu = ReLU()($0)
        return [relu, $0, relu, GlobalAveragePool()($0)]
      }
    ).graph
    #expect(graph.output.map(\.name) == ["output0", "output1", "output2", "output3"])
    #expect(graph.output.last?.dims == [2, 3])
    #expect(graph.types == ["Relu", "GlobalAveragePool", "Identity", "Identity", "Reshape"])
    #expect(graph.node[2].input == ["images"])
    #expect(graph.node[3].input == ["output0"])
  }

  @Test func parametersKeepNamesShapesAndOrder() throws {
    let graph = try exported { $0.through(Conv2D(4, kernel: 1), BatchNorm(), Flatten(), Linear(5)) }
    let expected = [
      "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "3.weight", "3.bias",
    ]
    #expect(graph.initializer.map(\.name) == expected)
    #expect(graph.dims("0.weight") == [4, 3, 1, 1])
    #expect(graph.floats("0.weight") == (0..<12).map(Float.init))
    #expect(graph.dims("3.weight") == [5, 4 * 12 * 18])
  }

  @Test func everyNameIsUsedOnceAndDefinedBefore() throws {
    let graph = try exported { image in
      let a = image.through(Conv(4, kernel: 3), SpaceToDepth(), C3(8, repeats: 2))
      return concat(a, a.upsampled(1)).through(SPPF(8), Flatten(), Linear(2))
    }
    var known = Set(graph.initializer.map(\.name) + ["images", ""])
    #expect(known.count == graph.initializer.count + 2)
    for node in graph.node {
      #expect(known.isSuperset(of: node.input))
      for name in node.output { #expect(known.insert(name).inserted) }
    }
    #expect(Set(graph.node.map(\.name)).count == graph.node.count)
    #expect(known.contains("output"))
  }

  @Test func sameArgumentsGiveTheSameBytes() throws {
    let graph = try traced { $0.through(Conv(8, kernel: 3), SpaceToDepth(), C3(8, repeats: 1)) }
    #expect(try bytes(of: graph, classNames: ["a"]) == bytes(of: graph, classNames: ["a"]))
  }

  /// The same network as the `onnx` package serialises it.
  @Test func sameBytesAsRecorded() throws {
    let model = Model("recorded", input: .image(3, 12, 18), classes: 2) { image, classes in
      let stem = image.through(Conv2D(8, kernel: 3, bias: false), BatchNorm(epsilon: 1e-3), LeakyReLU(0.1))
      let deep = stem.through(SpaceToDepth(), Conv2D(14, kernel: 1, stride: Size2D(1, 3)))
      let joined = concat(stem.through(MaxPool(2), Hardswish()), stem.channels(2..<6).through(AveragePool(2)))
      let large = joined.upsampled(2).through(SpaceToDepth(order: .onnx), Conv2D(14, kernel: 1), SiLU())
      let boxes = Detect(classes: classes, anchors: .init([[(10, 13), (16, 30)], [(5, 8), (33, 23)]]))(
        large, large.through(Conv2D(14, kernel: 3, stride: 3)))
      return [boxes, deep, deep.through(GlobalAveragePool(), Flatten(), Linear(classes), Softmax())]
    }
    let graph = try model.graph()
    let file = try onnxModel(
      graph,
      parameters: { name in
        let parameter = graph.parameter(name)!
        if case .constant(let values) = parameter.role { return values }
        return (0..<parameter.count).map { Float($0 % 16) }
      }, producerVersion: "0.1.0")
    let recorded = try #require(Bundle.module.url(forResource: "Fixtures/recorded", withExtension: "onnx"))
    #expect(try file == Data(contentsOf: recorded))
  }

  @Test func metadata() throws {
    let graph = try traced { image in
      Detect(classes: 1, anchors: .init([[(1, 2)], [(3, 4)]]))(
        Conv2D(6, kernel: 1)(image), Conv2D(6, kernel: 1, stride: 6)(image))
    }
    let model = try reread(graph, classNames: ["a 'b' \\\n\u{1}é"])
    #expect(model.metadataProps.map(\.key) == ["stride", "names"])
    #expect(model.metadataProps.map(\.value) == ["6", #"{0: 'a \'b\' \\\n\x01é'}"#])
  }
}
