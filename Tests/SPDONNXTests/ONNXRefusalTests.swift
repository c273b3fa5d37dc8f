import SPD
import Testing

@testable import SPDONNX

@Suite struct ONNXRefusalTests {
  let graph: Graph

  init() throws { graph = try traced { $0.through(Conv2D(4, kernel: 1), BatchNorm(), SpaceToDepth()) } }

  private func refusal(_ change: (inout Graph) -> Void) -> String? {
    var graph = graph
    change(&graph)
    do {
      _ = try bytes(of: graph)
      return nil
    } catch {
      return (error as? ONNXExportError)?.description ?? "another error: \(error)"
    }
  }

  private func refusalOfConvolution(_ change: (inout Op.Convolution) -> Void) -> String? {
    refusal { graph in
      guard case .convolution(var op) = graph.nodes[1].op else { return }
      change(&op)
      graph.nodes[1].op = .convolution(op)
    }
  }

  @Test func loweredConvolutions() throws {
    guard case .batchNorm(let norm) = graph.nodes[2].op else {
      Issue.record("not a batch normalisation")
      return
    }
    let place = "%1 (conv2d 0, ONNXRefusalTests.swift:"
    let epilogue = try #require(refusalOfConvolution { op in op.epilogue.stages.append(.activate(.relu)) })
    #expect(epilogue.hasPrefix(place))
    #expect(epilogue.contains(" has an epilogue: only a graph as traced"))
    let folded = refusalOfConvolution { op in op.parts[0].batchNorm = norm }
    #expect(folded?.contains("folded in") == true)
    let merged = refusal { graph in
      guard case .convolution(var op) = graph.nodes[1].op else { return }
      op.parts[0].outputs = 2
      op.parts.append(op.parts[0])
      graph.nodes[1].op = .convolution(op)
      graph.parameters[0].shape = [2, 3, 1, 1]
      for index in graph.parameters.indices where graph.parameters[index].name == op.parts[0].bias {
        graph.parameters[index].shape = [2]
      }
    }
    #expect(merged?.contains("is 2 convolutions in one") == true)
  }

  @Test func views() {
    let message = refusal { graph in
      graph.nodes[2].inputs[0].segments = [0, 2].map { first in
        var segment = Segment(node: 1, channels: 2)
        segment.first = first
        segment.target = first
        return segment
      }
    }
    #expect(message?.contains("reads views of %1") == true)
    let output = refusal { graph in graph.outputs[0].segments[0].channels = 4 }
    #expect(output?.hasPrefix("the output reads a part of %3") == true)
  }

  @Test func copiesAndMovedNorms() {
    let copy = refusal { graph in
      graph.nodes.append(
        Node(
          id: 9, op: .copy, inputs: [Operand(graph.nodes[3])], shape: graph.nodes[3].shape, layer: "c",
          source: graph.nodes[3].source))
    }
    #expect(copy?.contains("is a copy") == true)
    let moved = refusal { graph in
      guard case .batchNorm(var op) = graph.nodes[2].op else { return }
      op.enclosing = Op.SpaceToDepth(scale: 2, order: .paper)
      let names = [op.weight, op.bias, op.runningMean, op.runningVariance]
      for index in graph.parameters.indices where names.contains(graph.parameters[index].name) {
        graph.parameters[index].shape = [16]
      }
      graph.nodes[2].op = .batchNorm(op)
    }
    #expect(moved?.contains("hoisted above a space-to-depth") == true)
  }

  @Test func brokenGraphs() {
    #expect(throws: GraphError.self) {
      var graph = graph
      graph.outputs = []
      _ = try bytes(of: graph)
    }
  }

  @Test func wrongParameters() {
    #expect(throws: ONNXExportError("0.weight has 1 values, but its shape [4, 3, 1, 1] needs 12")) {
      _ = try onnxModel(graph, parameters: { _ in [0] }, producerVersion: "1")
    }
    #expect(throws: CancellationError.self) {
      _ = try onnxModel(graph, parameters: { _ in throw CancellationError() }, producerVersion: "1")
    }
  }

  @Test func namesThatClash() {
    let message = refusal { graph in
      guard case .convolution(var op) = graph.nodes[1].op else { return }
      op.parts[0].weight = "images"
      graph.nodes[1].op = .convolution(op)
      graph.parameters[0].name = "images"
    }
    #expect(message == "the parameter images has the name of the network's input or output")
  }

  @Test func wrongNumberOfClassNames() {
    #expect(throws: ONNXExportError("2 class names, but small has 1 classes")) {
      _ = try bytes(of: graph, classNames: ["a", "b"])
    }
  }

  @Test func tooLargeBeforeAnythingIsRead() throws {
    let graph = try traced { $0.through(Flatten(), Linear(1 << 20)) }
    #expect(throws: ONNXExportError("small has more than 2 GB of weights, which is all that an ONNX file can hold")) {
      _ = try onnxModel(graph, parameters: { _ in throw CancellationError() }, producerVersion: "1")
    }
  }
}
