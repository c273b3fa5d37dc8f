import SPDCompiler
import Testing

@testable import SPDDriver

/// The results of generated C. Each program is `Drivers/run.c`, which compares the bytes of 1, 2 and 3 threads, of a
/// second run and of a stale arena, and checks the guards of its buffers.
@Suite struct AgreementTests {
  private let workshop = Workshop.shared

  struct Case: Sendable, Equatable, CustomTestStringConvertible {
    var sample: Sample
    var variant: Variant
    var testDescription: String { "\(sample.testDescription) for \(variant.testDescription)" }

    init(_ sample: Sample, _ variant: Variant) { (self.sample, self.variant) = (sample, variant) }

    /// Every operation for all targets, and unfused for the widest and the narrowest.
    static let targets =
      Variant.targets.map { Case(.everyOp, Variant(target: $0)) }
      + [Variant.targets.first, Variant.targets.last].compactMap { $0 }.map {
        Case(.everyOp, Variant(target: $0, unfused: true))
      }

    /// All other combinations of networks and targets.
    static let long: [Case] = {
      var cases: [Case] = []
      for sample in [Sample.everyOp] + Sample.shipped {
        for target in Variant.targets {
          for unfused in [false, true] { cases.append(Case(sample, Variant(target: target, unfused: unfused))) }
        }
      }
      let short = targets + Sample.shipped.map { Case($0, .best) }
      return cases.filter { test in !short.contains(test) }
    }()

    /// A network with some passes left out, chosen by a seed.
    static func subset(_ sample: Sample, _ seed: Int) -> Case {
      let fusions = Pipeline.passes.filter { $0.kind == .fusion }.map(\.name)
      let dice = uniform("\(sample.name) subset \(seed)", fusions.count)
      let disabled = zip(fusions, dice).filter { $1 < 0.5 }.map(\.0)
      return Case(sample, Variant(target: Variant.targets[0], disabled: disabled))
    }

    static let longSubsets =
      [3, 4].map { subset(.everyOp, $0) }
      + [Sample.yolov5SPD, .resnet18SPD].flatMap { [subset($0, 1), subset($0, 2)] }
  }

  /// How many kernels `--tune` tries for the convolution that has most.
  private static let candidates: Int = {
    let problems = try? Sample.everyOp.problems(.best)
    return problems?.map(\.candidates.count).max() ?? 0
  }()

  @Test func thereAreCandidates() { #expect(Self.candidates > 5) }

  /// Every kernel that `--tune` tries, each in the place of the default one.
  @Test(.longMatrix, arguments: 1..<max(2, candidates))
  func everyCandidateAgrees(_ candidate: Int) async throws {
    try await agrees(Case(.everyOp, Variant(target: Variant.best.target, candidate: candidate)))
  }

  @Test(arguments: Case.targets)
  func agreesWithTheInterpreter(_ test: Case) async throws {
    // The optimiser sees all kinds of code once.
    try await agrees(test, optimised: test.variant == .best)
  }

  /// The shipped networks, as they are used.
  @Test(arguments: Sample.shipped)
  func shippedNetworksAgree(_ sample: Sample) async throws { try await agrees(Case(sample, .best)) }

  @Test(.longMatrix, arguments: Case.long)
  func everyNetworkAgreesOnEveryTarget(_ test: Case) async throws {
    try await agrees(test, optimised: !test.variant.unfused)
  }

  @Test(arguments: [1, 2])
  func passesMayBeLeftOut(seed: Int) async throws { try await agrees(.subset(.everyOp, seed)) }

  @Test(.longMatrix, arguments: Case.longSubsets)
  func passesMayBeLeftOutOfEveryNetwork(_ test: Case) async throws { try await agrees(test) }

  @Test func agreesWhenBuiltByGCC() async throws { try await agreesWhenBuiltByGCC(.everyOp) }

  @Test(.longMatrix, arguments: Sample.shipped)
  func agreesWhenBuiltByGCC(_ sample: Sample) async throws {
    let gcc = try CCompiler.first(.gcc)
    let output = try await workshop.output(
      sample, .best, gcc.path, Workshop.fast + Variant.best.flags + ["-fopenmp"], openMP: true)
    let comparison = Comparison(output, try await Reference.shared.output(sample))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  /// Without OpenMP the same text runs on one thread and gives the same bytes.
  @Test func serialBuildGivesTheSameBytes() async throws { try await serialBuildGivesTheSameBytes(.everyOp) }

  @Test(.longMatrix, arguments: [Sample.resnet18SPD])
  func serialBuildGivesTheSameBytes(_ sample: Sample) async throws {
    let variant = Variant.best
    let parallel = try await built(Case(sample, variant), optimised: false)
    let toolchain = try await Toolchain.find()
    let serial = try await workshop.output(
      sample, variant, toolchain.compiler, Workshop.quick + variant.flags, openMP: false)
    #expect(serial.bits == parallel.bits)
  }

  private func agrees(_ test: Case, optimised: Bool = false) async throws {
    let comparison = Comparison(
      try await built(test, optimised: optimised), try await Reference.shared.output(test.sample))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  private func built(_ test: Case, optimised: Bool) async throws -> [Float] {
    let toolchain = try await Toolchain.find()
    let flags = optimised ? Workshop.fast : Workshop.quick
    return try await workshop.output(
      test.sample, test.variant, toolchain.compiler, flags + test.variant.flags + toolchain.openMPFlags, openMP: true)
  }
}
