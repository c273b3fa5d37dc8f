import Models
import SPD
import TestSupport
import Testing

@testable import SPDCompiler

struct PipelineTests {
  private func small() throws -> Graph {
    try traced(3, 8, 8) { $0.through(SpaceToDepth(), Conv2D(16, kernel: 3, bias: false), BatchNorm(), SiLU()) }
  }

  @Test func namesAreUniqueAndKebabCase() {
    let names = Pipeline.passes.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.allSatisfy { $0 == "-" || ("a"..."z").contains($0) } })
  }

  @Test func tellsWhatEachPassDid() throws {
    let (graph, records) = try Pipeline.run(small())
    #expect(
      graph.brief == """
        %0 = input()  3×8×8
        %4 = conv2d(%0[::2,::2] ++ %0[1::2,::2] ++ %0[::2,1::2] ++ %0[1::2,1::2]) k=3 p=1 12→16 *bn +silu  16×4×4
        return %4

        """)
    #expect(records.map(\.pass) == Pipeline.passes.filter { $0.modes.contains(.inference) }.map(\.name))
    #expect(
      records.filter(\.changed).map(\.pass) == [
        "fold-batch-norm", "fuse-activation", "fuse-space-to-depth", "remove-unread",
      ])
    #expect(records.allSatisfy { $0.changed == ($0.after != nil) })
    #expect(records.last { $0.changed }?.after == graph)
    let remark = records.flatMap(\.remarks)[0]
    #expect(remark.layer == "2" && remark.source.file == "PipelineTests.swift" && remark.fired)
  }

  @Test func unfusedRunsLoweringsOnly() throws {
    var options = Pipeline.Options()
    options.unfused = true
    let (graph, records) = try Pipeline.run(small(), options: options)
    #expect(Set(records.map(\.pass)) == ["lower-linear", "lower-views", "remove-unread"])
    #expect(graph.nodes.map(\.op.name) == ["input", "copy", "conv2d", "batch_norm", "silu"])
  }

  @Test func trainingFoldsNothing() throws {
    var options = Pipeline.Options()
    options.mode = .training
    let graph = try traced(3, 8, 8) {
      $0.through(Conv2D(8, kernel: 3), BatchNorm(), SiLU(), GlobalAveragePool(), Flatten(), Linear(4))
    }
    let (lowered, records) = try Pipeline.run(graph, options: options)
    #expect(!records.map(\.pass).contains("fold-batch-norm"))
    #expect(
      lowered.nodes.prefix(7).map(\.op.name) == [
        "input", "conv2d", "statistics", "normalize", "global_average_pool", "conv2d", "gradient",
      ])
  }

  @Test func aDisabledPassIsLeftOut() throws {
    var options = Pipeline.Options()
    options.disabled = ["fuse-activation", "fuse-final-activation", "fuse-space-to-depth"]
    let (graph, records) = try Pipeline.run(small(), options: options)
    #expect(Set(records.map(\.pass)).isDisjoint(with: options.disabled))
    #expect(graph.nodes.map(\.op.name) == ["input", "copy", "conv2d", "silu"])
  }

  @Test(arguments: ["lower-views", "no-such-pass"])
  func onlyOptionalPassesCanBeDisabled(name: String) throws {
    var options = Pipeline.Options()
    options.disabled = [name]
    let error = try #require(throws: UnknownPass.self) { try Pipeline.run(small(), options: options) }
    let names = """
      elide-concat, elide-slice, elide-upsample, eliminate-dead-code, fold-batch-norm, fuse-activation, \
      fuse-final-activation, fuse-normalize, fuse-residual, fuse-space-to-depth, fuse-statistics, \
      hoist-over-space-to-depth, merge-sibling-convolutions, recompute, short-branches-first, split-upsampled
      """
    #expect("\(error)" == "no optional pass is called \(name); there are \(names)")
  }

  @Test func aBrokenGraphIsRefused() throws {
    var graph = try small()
    graph.outputs = []
    #expect(throws: GraphError("a graph without output")) { try Pipeline.run(graph) }
  }

  @Test func eachPassIsMeasuredOnce() throws {
    var names: [String] = []
    let measured = try Pipeline.run(small()) { name, body in
      names.append(name)
      try body()
    }
    #expect(names == measured.records.map(\.pass))
  }

  /// Running the pipeline on its own result changes nothing.
  @Test(arguments: shippedModels.map(\.name))
  func isIdempotent(name: String) throws {
    let lowered = try Pipeline.lowered(Shipped.graph(name))
    #expect(try Pipeline.lowered(lowered) == lowered)
  }
}
