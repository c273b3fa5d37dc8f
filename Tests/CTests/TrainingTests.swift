import Foundation
import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import TestSupport
import Testing

@testable import SPDDriver

/// The results of generated training steps. Each program is `Drivers/train.c`, which compares the bytes of 1, 2 and 3
/// threads, in stale arenas, and checks the guards of its buffers.
@Suite struct TrainingTests {
  private let workshop = Workshop.shared

  struct Case: Sendable, CustomTestStringConvertible {
    var sample: Sample
    var variant: Variant
    var testDescription: String { "\(sample.testDescription) for \(variant.testDescription)" }

    static let best = Case(sample: .everyTrained, variant: .bestTraining)
    static let targets = Variant.targets.map {
      Case(sample: .everyTrained, variant: Variant(target: $0, mode: .training))
    }

    private static let fusions = Pipeline.passes.filter { $0.kind == .fusion && $0.modes.contains(.training) }
      .map(\.name)

    private static func without(_ passes: [String]) -> Case {
      Case(sample: .everyTrained, variant: Variant(target: Variant.targets[0], disabled: passes, mode: .training))
    }

    static let unfused = without(fusions)

    /// Some passes left out, chosen by a seed.
    static let subsets = (1...2).map { seed in
      without(zip(fusions, uniform("training subset \(seed)", fusions.count)).filter { $1 < 0.5 }.map(\.0))
    }

    /// Larger tiles than training takes by default.
    static let large = Case(
      sample: .everyTrained, variant: Variant(target: Variant.targets[0], mode: .training, largestTile: 6))
  }

  @Test(arguments: Case.targets + [Case.unfused, .large])
  func gradientsAgreeWithTheInterpreter(_ test: Case) async throws {
    // The optimiser sees all kernels once.
    try await agrees(test, optimised: test.variant == .bestTraining)
  }

  @Test(.longMatrix, arguments: Case.subsets + [Case(sample: .yolov5Trained, variant: .bestTraining)])
  func gradientsOfMoreNetworksAgreeWithTheInterpreter(_ test: Case) async throws {
    try await agrees(test, optimised: test.sample == .yolov5Trained)
  }

  private func agrees(_ test: Case, optimised: Bool) async throws {
    let toolchain = try await Toolchain.find()
    let flags = optimised ? Workshop.fast : Workshop.quick
    let result = try await output(
      test, toolchain.compiler, flags + test.variant.flags + toolchain.openMPFlags, openMP: true)
    try await check(result, test)
  }

  @Test func gradientsAgreeWhenBuiltByGCC() async throws {
    try await gradientsAgreeWhenBuiltByGCC(Workshop.quick)
  }

  @Test(.longMatrix, arguments: [Workshop.fast])
  func gradientsAgreeWhenBuiltByGCC(_ flags: [String]) async throws {
    let gcc = try CCompiler.first(.gcc)
    let flags = flags + Case.best.variant.flags + ["-ffp-contract=fast", "-fopenmp"]
    let result = try await output(.best, gcc.path, flags, openMP: true)
    try await check(result, .best)
  }

  @Test func serialBuildGivesTheSameBytes() async throws {
    let test = Case.best
    let toolchain = try await Toolchain.find()
    let flags = Workshop.quick + test.variant.flags
    let parallel = try await output(test, toolchain.compiler, flags + toolchain.openMPFlags, openMP: true)
    let serial = try await output(test, toolchain.compiler, flags, openMP: false)
    #expect(serial.bits == parallel.bits)
  }

  @Test func sanitizersFindNothing() async throws {
    let gcc = try CCompiler.first(.gcc)
    let test = Case.best
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    let result = try await output(
      test, gcc.path, ["-std=c17", "-O0", "-g1", "-DEXACT"] + test.variant.flags + sanitizers, openMP: false)
    try await check(result, test)
  }

  /// Every access of two threads to the same memory has a barrier between them, as LLVM's Archer tells ThreadSanitizer.
  @Test(arguments: testsLongMatrix ? [false, true] : [true]) func threadsDoNotRace(updatesInBackward: Bool) async throws
  {
    let toolchain = try await Toolchain.find()
    let sanitizer = ["-fsanitize=thread"]
    let compiler = try await workshop.sanitizer(sanitizer, [.clang]).path
    let folder = URL(fileURLWithPath: compiler).resolvingSymlinksInPath().deletingLastPathComponent()
    let archer = folder.deletingLastPathComponent().appendingPathComponent("lib/libarcher.so").path
    guard compiler == toolchain.compiler, FileManager.default.fileExists(atPath: archer) else {
      try Test.cancel("\(compiler) comes without libarcher.so, which tells ThreadSanitizer of OpenMP's barriers")
    }
    let test = Case(
      sample: .everyTrained,
      variant: Variant(target: Variant.targets[0], mode: .training, updatesInBackward: updatesInBackward))
    _ = try await output(
      test, compiler,
      ["-std=c17", "-O0", "-g1", "-DEXACT"] + sanitizer + test.variant.flags + toolchain.openMPFlags,
      openMP: true,
      environment: [
        "OMP_TOOL_LIBRARIES": archer, "TSAN_OPTIONS": "halt_on_error=1 ignore_noninstrumented_modules=1",
        "ARCHER_OPTIONS": "verbose=1",
      ])
  }

  // MARK: - support

  private func output(
    _ test: Case, _ compiler: String, _ flags: [String], openMP: Bool, environment: [String: String] = [:]
  ) async throws -> [Float] {
    let program = try await workshop.program("train", test.sample, test.variant, compiler, flags)
    let file = try await workshop.once("trained \(test) \(compiler) \(flags)") { place in
      let graph = try test.sample.graph()
      let state = StateLayout(graph)
      var values = [Float](repeating: 0, count: state.count)
      for (entry, parameter) in zip(state.entries, EmitC.storedParameters(graph)) {
        values.replaceSubrange(entry.offset..<entry.offset + entry.count, with: syntheticParameter(parameter))
      }
      var paths: [String] = []
      let targets = Self.targets(graph).flatMap { $0 }
      for (name, numbers) in [("state", values), ("input", syntheticInput(graph.input.shape)), ("targets", targets)] {
        let path = place.appendingPathComponent("\(name).f32")
        try numbers.withUnsafeBytes { Data($0) }.write(to: path)
        paths.append(path.path)
      }
      let output = place.appendingPathComponent("output.f32")
      try await self.workshop.mustRun(
        program.path, paths + [output.path, openMP ? "1" : "0"], environment: environment)
      return output
    }
    return try floats(file)
  }

  private static func targets(_ graph: Graph) -> [[Float]] {
    (0..<12).map { index in
      let u = uniform("target \(index)", 5)
      return [
        Float(index % graph.input.shape.batch), Float(Int(u[4] * 80)), u[0], u[1], 0.1 + 0.4 * u[2], 0.1 + 0.4 * u[3],
      ]
    }
  }

  /// Losses and gradients of the first step against the interpreter's, in double precision.
  private func check(_ result: [Float], _ test: Case) async throws {
    let expected = try await TrainingReference.shared.result(test.sample)
    let loss = expected.losses[0]
    #expect(abs(Double(result[0]) - loss) <= 2e-5 * max(1, abs(loss)), "\(result[0]) and \(loss)")
    let state = StateLayout(try test.sample.graph())
    #expect(result.count == 4 + 2 * state.count)
    let norms = expected.gradients.mapValues { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let largest = norms.values.max() ?? 0
    for entry in state.entries where entry.group >= 0 {
      let gradient = try #require(expected.gradients[entry.name])
      let found = result[4 + entry.offset..<4 + entry.offset + entry.count]
      let error = zip(found, gradient).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
      let norm = norms[entry.name] ?? 0
      // NaN is not within it either.
      #expect(error <= 1e-3 * max(norm, 1e-3 * largest), "\(entry.name): \(error) of \(norm)")
    }
    let areFinite = result.allSatisfy { $0.isFinite }
    #expect(areFinite)
  }

  /// The interpreter's results for the graph after all passes, each computed once.
  actor TrainingReference {
    static let shared = TrainingReference()
    private var tasks: [Sample: Task<TrainingResult, any Error>] = [:]

    func result(_ sample: Sample) async throws -> TrainingResult {
      if tasks[sample] == nil {
        tasks[sample] = Task.detached {
          let graph = try sample.graph()
          var options = Pipeline.Options()
          options.mode = .training
          let lowered = try Pipeline.run(graph, options: options).graph
          let boxes = TrainingTests.targets(graph).map { row in
            LossOracle.Target(image: Int(row[0]), label: Int(row[1]), row[2], row[3], row[4], row[5])
          }
          return try Interpreter(graph: lowered, precision: .double, parameters: syntheticParameters(of: graph))
            .trainingStep(
              input: syntheticInput(graph.input.shape),
              labels: (0..<graph.input.shape.batch).map { $0 * 7 % graph.classes }, targets: boxes)
        }
      }
      return try await tasks[sample]!.value
    }
  }
}
