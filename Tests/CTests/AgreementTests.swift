import SPDCompiler
import Testing

@testable import SPDDriver

/// What generated C computes. Each program is `Drivers/run.c`, which holds the bytes of 1, 2 and 3 threads, of a second
/// run and of a stale arena against each other, and watches the borders of its buffers.
@Suite struct AgreementTests {
  private let workshop = Workshop.shared

  struct Case: Sendable, CustomTestStringConvertible {
    var sample: Sample
    var variant: Variant
    var testDescription: String { "\(sample.testDescription) for \(variant.testDescription)" }

    /// All networks for all targets, fused and unfused; the large ones are not unfused for those in the middle.
    static let targets = Sample.all.flatMap { sample in
      Variant.targets.flatMap { target in
        [false, true].map { Case(sample: sample, variant: Variant(target: target, unfused: $0)) }
      }
    }.filter { test in
      let atTheEnds = [Variant.targets.first, Variant.targets.last].contains(test.variant.target)
      return test.sample.isSmall || !test.variant.unfused || atTheEnds
    }

    /// Networks with some passes left out, chosen by a seed.
    static let subsets = [(Sample.everyOp, 4), (.yolov5SPD, 2), (.resnet18SPD, 2)].flatMap { sample, count in
      (1...count).map { seed in
        let fusions = Pipeline.passes.filter { $0.kind == .fusion }.map(\.name)
        let dice = uniform("\(sample.name) subset \(seed)", fusions.count)
        let disabled = zip(fusions, dice).filter { $1 < 0.5 }.map(\.0)
        return Case(sample: sample, variant: Variant(target: Variant.targets[0], disabled: disabled))
      }
    }
  }

  /// Every kernel that `--tune` tries, each in the place of the default one.
  @Test(arguments: 1..<11)
  func everyCandidateAgrees(_ candidate: Int) async throws {
    let variant = Variant(target: Variant.best.target, candidate: candidate)
    let output = try await built(Case(sample: .everyOp, variant: variant), optimised: false)
    let comparison = Comparison(output, try await Reference.shared.output(.everyOp))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  @Test(arguments: Case.targets)
  func agreesWithTheInterpreter(_ test: Case) async throws {
    // The optimiser takes most of the time; it sees all kinds of code in the small networks.
    let isBest = test.variant.target == Variant.best.target
    let output = try await built(
      test, optimised: test.sample.isSmall ? isBest || !test.variant.unfused : test.variant == .best)
    let comparison = Comparison(output, try await Reference.shared.output(test.sample))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  @Test(arguments: Case.subsets)
  func passesMayBeLeftOut(_ test: Case) async throws {
    let output = try await built(test, optimised: false)
    let comparison = Comparison(output, try await Reference.shared.output(test.sample))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  @Test(arguments: Sample.small)
  func agreesWhenBuiltByGCC(_ sample: Sample) async throws {
    let gcc = try CCompiler.first(.gcc)
    let output = try await workshop.output(
      sample, .best, gcc.path, Workshop.fast + Variant.best.flags + ["-fopenmp"], openMP: true)
    let comparison = Comparison(output, try await Reference.shared.output(sample))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  /// Without OpenMP the same text runs on one thread and gives the same bytes.
  @Test(arguments: [Sample.everyOp, .resnet18SPD])
  func serialBuildGivesTheSameBytes(_ sample: Sample) async throws {
    let variant = Variant.best
    let parallel = try await built(Case(sample: sample, variant: variant), optimised: true)
    let toolchain = try await Toolchain.find()
    let serial = try await workshop.output(
      sample, variant, toolchain.compiler, Workshop.fast + variant.flags, openMP: false)
    #expect(serial.bits == parallel.bits)
  }

  private func built(_ test: Case, optimised: Bool) async throws -> [Float] {
    let toolchain = try await Toolchain.find()
    let flags = optimised ? Workshop.fast : Workshop.strict + ["-O1"]
    return try await workshop.output(
      test.sample, test.variant, toolchain.compiler, flags + test.variant.flags + toolchain.openMPFlags, openMP: true)
  }
}
