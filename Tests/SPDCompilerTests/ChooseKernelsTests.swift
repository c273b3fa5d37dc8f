import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct ChooseKernelsTests {
  /// The template of the last node of a network behind all passes.
  private func template(
    _ channels: Int, _ algorithms: KernelOptions.Algorithms = .fast, _ body: @escaping @Sendable (Tensor) -> Tensor
  ) throws -> String? {
    let graph = try Pipeline.lowered(traced(channels, 8, 8, body))
    return try kernel(graph.nodes.last!, in: graph, target: .x86v3, algorithms)?.template
  }

  private func kernel(
    _ node: Node, in graph: Graph, target: Target, _ algorithms: KernelOptions.Algorithms = .fast
  ) throws -> Kernel? {
    try ChooseKernels(graph: graph, target: target, options: KernelOptions(algorithms: algorithms)).kernel(for: node)
  }

  @Test func convolutions() throws {
    #expect(try template(3) { $0.through(Conv2D(8, kernel: 3)) } == "conv_image")
    #expect(try template(3) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 1)) } == "conv_image")
    #expect(try template(5) { $0.through(Conv2D(8, kernel: 5)) } == "conv_direct")
    #expect(try template(3) { $0.through(Conv2D(8, kernel: 3, dilation: 2)) } == "conv_direct")
    #expect(try template(3) { $0.through(Flatten(), Linear(8)) } == "conv_image")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3, groups: 2)) } == "conv_direct")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3, groups: 4)) } == "conv_grouped")
    #expect(try template(32) { $0.through(Conv2D(64, kernel: 3, groups: 32)) } == "conv_grouped")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3, groups: 32)) } == "conv_depthwise")
  }

  @Test func winograd() throws {
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3)) } == "conv_winograd")
    #expect(try template(32) { $0.through(ReLU(), SpaceToDepth(), Conv2D(32, kernel: 3)) } == "conv_winograd")
    #expect(try template(3) { $0.through(SpaceToDepth(), Conv2D(8, kernel: 3)) } == "conv_winograd")
    #expect(try template(32, .exact) { $0.through(Conv2D(32, kernel: 3)) } == "conv_direct")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3, stride: 2)) } == "conv_direct")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3, dilation: 2)) } == "conv_direct")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 3, groups: 2)) } == "conv_direct")
    #expect(try template(32) { $0.through(Conv2D(32, kernel: 5)) } == "conv_direct")
    // One pixel is no tile.
    #expect(try template(512) { $0.through(ReLU(), MaxPool(8), Conv2D(512, kernel: 3)) } == "conv_direct")
  }

  /// Rounding turns a ReLU on or off, but no SiLU: there training may round as much as F(4×4) does.
  @Test func winogradInTraining() throws {
    var options = KernelOptions()
    options.packsWeights = true
    func size(_ body: @escaping @Sendable (Tensor) -> Tensor) throws -> Int? {
      let graph = try Pipeline.lowered(traced(32, 32, 32, body))
      let choice = ChooseKernels(graph: graph, target: .x86v3, options: options)
      return try choice.kernel(for: graph.nodes.last!)?.winograd?.size
    }
    #expect(try size { $0.through(SiLU(), Conv2D(32, kernel: 3)) } == 4)
    #expect(try size { $0.through(Conv2D(32, kernel: 1), SiLU(), Conv2D(32, kernel: 3)) } == 4)
    #expect(try size { $0.through(ReLU(), Conv2D(32, kernel: 3)) } == 2)
    #expect(try size { $0.through(Conv2D(32, kernel: 1), Hardswish(), Conv2D(32, kernel: 3)) } == 2)
    #expect(try size { ($0 + $0.through(Conv2D(32, kernel: 1))).through(ReLU(), Conv2D(32, kernel: 3)) } == 2)
    options.largestTile = 6
    #expect(try size { $0.through(ReLU(), Conv2D(32, kernel: 3)) } ?? 0 > 2)
  }

  @Test func others() throws {
    #expect(try template(16) { $0.through(BatchNorm()) } == "pointwise")
    #expect(try template(16) { $0.through(SiLU()) } == "pointwise")
    #expect(try template(16) { $0 + $0 } == "pointwise")
    #expect(try template(16) { $0.through(AveragePool(2)) } == "average_pool")
    #expect(try template(16) { $0.through(GlobalAveragePool()) } == "global_average")
    #expect(try template(16) { $0.through(Softmax()) } == "softmax")
    #expect(try template(16) { $0.through(Flatten()) } == "flatten")
    #expect(try template(7) { Detect(classes: 2, anchors: .init([[(1, 1)]]))($0) } == "decode_boxes")
    #expect(try template(16) { $0.through(SpaceToDepth(), MaxPool(2)) } == "max_pool")
  }

  @Test func whatIsNotLoweredHasNoKernel() throws {
    let graph = try traced(16, 4, 4) { $0.through(SpaceToDepth()) }
    let error = #expect(throws: KernelError.self) {
      try kernel(graph.nodes[1], in: graph, target: .scalar)
    }
    #expect(error?.description == "ChooseKernelsTests.swift:\(#line - 4): space_to_depth was not lowered (layer 0)")
  }
}
