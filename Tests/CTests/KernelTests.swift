import SPD
import SPDCompiler
import SPDReference
import Testing

@testable import SPDDriver

/// Each kernel alone: one program for its table of shapes, compared with the interpreter row by row.
@Suite struct KernelTests {
  private static let workshop = Workshop.shared

  /// A kernel that was not chosen would leave its table to another one.
  @Test(arguments: KernelTable.all)
  func computesEachRow(_ table: KernelTable) throws {
    let plan = try table.sample.compiled(table.variant).plan
    #expect(table.rowsWithoutKernels(plan) == [])
  }

  @Test(arguments: KernelTable.inference)
  func agreesWithTheInterpreter(_ table: KernelTable) async throws {
    let toolchain = try await Toolchain.find()
    let found = try await Self.workshop.output(
      table.sample, table.variant, toolchain.compiler,
      Workshop.quick + table.variant.flags + toolchain.openMPFlags, openMP: true)
    let graph = try table.sample.graph()
    let interpreter = Interpreter(graph: graph, parameters: syntheticParameters(of: graph))
    let wanted = try interpreter.outputs(input: syntheticInput(graph.input.shape))
    try #require(wanted.count == table.rows.count && wanted.map(\.count).reduce(0, +) == found.count)
    var begin = 0
    for (row, values) in zip(table.rows, wanted) {
      let comparison = Comparison(Array(found[begin..<begin + values.count]), values)
      #expect(comparison.worst <= 1, "\(row.name): \(comparison)")
      begin += values.count
    }
  }

  @Test(arguments: KernelTable.training)
  func gradientsAgreeWithTheInterpreter(_ table: KernelTable) async throws {
    let toolchain = try await Toolchain.find()
    let flags = Workshop.quick + table.variant.flags + toolchain.openMPFlags
    let result = try await Self.workshop.trained(
      table.sample, table.variant, toolchain.compiler, flags, openMP: true)
    try await TrainingReference.shared.expect(result, table.sample)
  }

  /// What the networks of other tests consist of has a table, but for what has no shapes of its own.
  @Test(arguments: [Sample.everyOp, .yolov5SPD, .everyTrained, .yolov5Trained])
  func everyKernelHasATable(_ sample: Sample) throws {
    let mode: Mode = [.everyTrained, .yolov5Trained].contains(sample) ? .training : .inference
    for step in try sample.compiled(Variant(target: Variant.best.target, mode: mode)).plan.steps {
      let isTested = KernelTable.all.contains { table in table.kernels.contains { $0(step.kernel) } }
      #expect(isTested || Self.testedElsewhere.contains(step.kernel.template), "\(step.kernel)")
    }
  }

  /// `LossCTests`, `ComposedTrainingTests`, `UpdateInBackwardTests`.
  private static let testedElsewhere: Set = ["cross_entropy", "yolo_loss", "composed_loss", "update"]
}
