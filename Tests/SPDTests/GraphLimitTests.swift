import Foundation
import SPD
import SPDCompiler
import TestSupport
import Testing

/// Sizes and numbers that cannot be are refused with the place, and nothing traps on the way there.
struct GraphLimitTests {
  private static let extremes = [Int.max, Int.min, 1 << 62, 1 << 31, -(1 << 31), -1]

  /// The message of a model file's error, which names this file and a line.
  private func message(_ body: @escaping @Sendable (Tensor) -> Tensor) -> String? {
    do {
      _ = try Model("net", input: .image(3, 16, 16)) { image, _ in body(image) }.graph()
      return nil
    } catch {
      #expect(error.source.file == "GraphLimitTests.swift" && error.source.line > 0)
      return error.message
    }
  }

  @Test(arguments: extremes) func layersOfAModelFile(size: Int) {
    let layers: [@Sendable (Tensor) -> Tensor] = [
      { Conv2D(size, kernel: 1)($0) }, { Conv2D(8, kernel: Size2D(size))($0) },
      { Conv2D(8, kernel: 3, stride: Size2D(size))($0) }, { Conv2D(8, kernel: 3, padding: Size2D(size))($0) },
      { Conv2D(8, kernel: 3, dilation: Size2D(size))($0) }, { Conv2D(8, kernel: 3, groups: size)($0) },
      { Conv(size, kernel: 3)($0) }, { Conv(8, kernel: Size2D(size))($0) }, { C3(8, repeats: size)($0) },
      { C3(size, repeats: 1)($0) }, { SpaceToDepth(scale: size)($0) }, { MaxPool(Size2D(size))($0) },
      { AveragePool(2, stride: Size2D(size))($0) }, { MaxPool(2, padding: Size2D(size))($0) }, { $0.upsampled(size) },
      { $0.through(GlobalAveragePool(), Flatten(), Linear(size)) }, { SPPF(8, kernel: size)($0) },
      { BottleneckBlock(size, downsampling: .stride)($0) },
      { BasicBlock(8, stride: size, downsampling: .spaceToDepth)($0) },
      { Stage(.basic, 8, blocks: size, downsampling: .stride)($0) },
      { $0.channels(min(size, 0)..<max(size, 1)) }, { Detect(classes: size, anchors: .yolov5)($0, $0, $0) },
    ]
    for (index, layer) in layers.enumerated() {
      let text = message(layer)
      // No more than all groups of one channel, or a slice of no channels, is something.
      #expect(text != nil, "layer \(index) of \(size)")
    }
  }

  @Test(arguments: extremes) func whatIsAskedFor(number: Int) {
    let model = Model("net", input: .image(3, 16, 16)) { image, _ in GlobalAveragePool()(image) }
    #expect(throws: TraceError.self) { try model.graph(batch: number) }
    #expect(throws: TraceError.self) { try model.graph(classes: number) }
    #expect(throws: TraceError.self) { try model.graph(size: Size2D(number)) }
    #expect(throws: TraceError.self) { try model.graph(size: Size2D(16, number)) }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300]) func hyperparameters(number: Double) {
    #expect(message { LeakyReLU(number)($0) } == "leaky_relu needs a finite slope, not \(number)")
    #expect(message { BatchNorm(epsilon: number)($0) } != nil || number == 1e300)
    #expect(
      message { BatchNorm(momentum: number)($0) } == "batch normalisation needs a momentum from 0 to 1, not \(number)")
    let scale = Scale(depth: number, width: number)
    #expect(message { Conv(scale.width(64), kernel: 1)($0) } != nil)
    #expect(message { C3(8, repeats: scale.depth(3))($0) } != nil || number.isNaN || number < 0)
  }

  @Test func nothingFollowsBoxes() {
    let text = message { image in
      let levels = [image.through(MaxPool(4)), image.through(MaxPool(8)), image.through(MaxPool(16))]
      return Detect(classes: 1, anchors: .yolov5)(levels[0], levels[1], levels[2]).through(ReLU())
    }
    #expect(text?.contains("nothing can follow Detect") == true)
  }

  // MARK: - graph files

  private func graph() throws -> Graph {
    try traced(3, 16, 16) { image in
      let x = image.through(Conv2D(16, kernel: 3, bias: false), BatchNorm(), LeakyReLU(), SpaceToDepth())
      return concat(x, MaxPool(2)(image)).channels(0..<32).upsampled(2).through(
        Conv2D(16, kernel: 3, groups: 2), GlobalAveragePool(), Flatten(), Linear(10), Softmax())
    }
  }

  /// Every number of a graph file, replaced by each extreme: the file is refused, or compiles.
  @Test func everyNumberOfAFile() throws {
    let text = String(decoding: try JSONEncoder().encode(graph()), as: UTF8.self)
    let numbers = text.matches(of: #/[:\[,](-?[0-9][0-9.e-]*)/#)
    var refused = 0
    for (index, match) in numbers.enumerated() {
      for value in ["9223372036854775807", "-9223372036854775808", "2147483648", "-1", "0"]
      where index % 5 == 0 || value.count < 11 {
        let changed = text.replacingCharacters(in: match.1.startIndex..<match.1.endIndex, with: value)
        guard let graph = try? JSONDecoder().decode(Graph.self, from: Data(changed.utf8)) else { continue }
        do {
          _ = try LowerToPlan.plan(try Pipeline.run(graph).graph, prefix: "net", target: .x86v3)
        } catch is GraphError {
          refused += 1
        } catch is KernelError {
          refused += 1
        }
      }
    }
    #expect(refused > numbers.count)
  }

  private func refusal(_ change: (inout Graph) throws -> Void) throws -> String? {
    var graph = try graph()
    try change(&graph)
    do {
      try graph.verifyBeforePasses()
      return nil
    } catch {
      return (error as? GraphError)?.description
    }
  }

  @Test func whatOnlyTrainingMakes() throws {
    var options = Pipeline.Options()
    options.mode = .training
    let declared = try traced(3, 16, 16, batch: 2) {
      $0.through(Conv(8, kernel: 3), GlobalAveragePool(), Flatten(), Linear(4))
    }
    let trained = try Pipeline.run(declared, options: options).graph
    try trained.verify()
    let error = try #require(throws: GraphError.self) { try trained.verifyBeforePasses() }
    #expect(error.description.contains("which only the passes of training make"))
    #expect(throws: GraphError.self) { try Pipeline.run(trained) }
    let text = try refusal { graph in
      guard case .convolution(var op) = graph.nodes[1].op else { throw GraphError("no convolution") }
      op.epilogue.stages.append(.gatherStatistics)
      graph.nodes[1].op = .convolution(op)
    }
    #expect(text?.contains("a convolution that gathers statistics") == true)
    #expect(try refusal { $0.nodes[1].destinations = [] } != nil)
  }

  @Test func normalisationsByPhase() throws {
    let text = try refusal { graph in
      guard case .batchNorm(var norm) = graph.nodes[2].op else { throw GraphError("no normalisation") }
      norm.enclosing = Op.SpaceToDepth(scale: 1 << 31, order: .paper)
      graph.nodes[2].op = .batchNorm(norm)
    }
    #expect(text?.hasSuffix("the scale of a space-to-depth is 2147483648: there is code for 64 at most") == true)
  }

  @Test func constants() throws {
    for values in [[Float.nan, 1], [1], [.infinity, 0]] {
      let text = try refusal { $0.parameters.append(Parameter(name: "c", shape: [2], role: .constant(values))) }
      #expect(text == "parameter c needs 2 finite values, but \(values.count) are given")
    }
    #expect(try refusal { $0.parameters.append(Parameter(name: "c", shape: [1, 1, 1, 1, 1], role: .weight)) } != nil)
    #expect(try refusal { $0.parameters[0].role = .batchesTracked }?.contains("only counts batches") == true)
  }

  /// Files of earlier versions leave fields out, or call them otherwise.
  @Test func epilogues() throws {
    let old = #"{"addsResidual": true, "addsStart": true, "gathersStatistics": false}"#
    let epilogue = try JSONDecoder().decode(Op.Epilogue.self, from: Data(old.utf8))
    #expect(epilogue.addsAccumulator && epilogue.stages == [.add])
    #expect(try JSONDecoder().decode(Op.Epilogue.self, from: Data("{}".utf8)).isEmpty)
    #expect(try JSONDecoder().decode(Op.Epilogue.self, from: JSONEncoder().encode(epilogue)) == epilogue)
  }

  /// Many phases of many views are written out, and not listed.
  @Test func viewsAreBounded() throws {
    let graph = try traced(1, 128, 128) { $0.through(SpaceToDepth(scale: 64), Conv2D(4, kernel: 1)) }
    let lowered = try Pipeline.run(graph).graph
    #expect(lowered.nodes.allSatisfy { $0.inputs.allSatisfy { $0.segments.count <= 4096 } })
  }
}
