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
    let result = try await workshop.trained(
      test.sample, test.variant, toolchain.compiler, flags + test.variant.flags + toolchain.openMPFlags, openMP: true)
    try await TrainingReference.shared.expect(result, test.sample)
  }

  @Test func gradientsAgreeWhenBuiltByGCC() async throws {
    try await gradientsAgreeWhenBuiltByGCC(Workshop.quick)
  }

  @Test(.longMatrix, arguments: [Workshop.fast])
  func gradientsAgreeWhenBuiltByGCC(_ flags: [String]) async throws {
    let gcc = try CCompiler.first(.gcc)
    let flags = flags + Case.best.variant.flags + ["-ffp-contract=fast", "-fopenmp"]
    let best = Case.best
    let result = try await workshop.trained(best.sample, best.variant, gcc.path, flags, openMP: true)
    try await TrainingReference.shared.expect(result, best.sample)
  }

  @Test func serialBuildGivesTheSameBytes() async throws {
    let test = Case.best
    let toolchain = try await Toolchain.find()
    let flags = Workshop.quick + test.variant.flags
    let parallel = try await workshop.trained(
      test.sample, test.variant, toolchain.compiler, flags + toolchain.openMPFlags, openMP: true)
    let serial = try await workshop.trained(test.sample, test.variant, toolchain.compiler, flags, openMP: false)
    #expect(serial.bits == parallel.bits)
  }

  @Test func sanitizersFindNothing() async throws {
    let gcc = try CCompiler.first(.gcc)
    let test = Case.best
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    let result = try await workshop.trained(
      test.sample, test.variant, gcc.path, ["-std=c17", "-O0", "-g1", "-DEXACT"] + test.variant.flags + sanitizers,
      openMP: false)
    try await TrainingReference.shared.expect(result, test.sample)
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
    _ = try await workshop.trained(
      test.sample, test.variant, compiler,
      ["-std=c17", "-O0", "-g1", "-DEXACT"] + sanitizer + test.variant.flags + toolchain.openMPFlags,
      openMP: true,
      environment: [
        "OMP_TOOL_LIBRARIES": archer, "TSAN_OPTIONS": "halt_on_error=1 ignore_noninstrumented_modules=1",
        "ARCHER_OPTIONS": "verbose=1",
      ])
  }
}
