import Foundation
import TestSupport
import Testing

@testable import SPDDriver

/// Programs around generated C: its statuses, several models and contexts in one program, sanitizers.
@Suite struct ProgramTests {
  private let workshop = Workshop.shared

  @Test(arguments: [true, false])
  func everyStatusCanBeProvoked(openMP: Bool) async throws { try await provokesStatuses(.everyOp, openMP: openMP) }

  @Test(.longMatrix, arguments: Sample.shipped, [true, false])
  func everyStatusOfShippedNetworksCanBeProvoked(_ sample: Sample, openMP: Bool) async throws {
    try await provokesStatuses(sample, openMP: openMP)
  }

  private func provokesStatuses(_ sample: Sample, openMP: Bool) async throws {
    let toolchain = try await Toolchain.find()
    let flags = (openMP ? Workshop.fast + toolchain.openMPFlags : Workshop.quick) + Variant.best.flags
    let program = try await workshop.program("statuses", sample, .best, toolchain.compiler, flags)
    let data = try await workshop.data(sample)
    try await workshop.mustRun(
      program.path, ["\(data.path)/weights.spdw", "\(data.path)/input.f32", openMP ? "1" : "0"])
  }

  @Test(arguments: [1, 2])
  func contextsAreIndependent(threads: Int) async throws { try await usesContexts(.everyOp, threads: threads) }

  @Test(.longMatrix, arguments: Sample.shipped, [1, 2])
  func contextsOfShippedNetworksAreIndependent(_ sample: Sample, threads: Int) async throws {
    try await usesContexts(sample, threads: threads)
  }

  private func usesContexts(_ sample: Sample, threads: Int) async throws {
    let toolchain = try await Toolchain.find()
    let flags = Workshop.fast + Variant.best.flags + toolchain.openMPFlags
    let program = try await workshop.program("contexts", sample, .best, toolchain.compiler, flags)
    try await contexts(program, sample, threads: threads)
  }

  private func contexts(_ program: URL, _ sample: Sample, threads: Int) async throws {
    let data = try await workshop.data(sample).path
    try await workshop.mustRun(
      program.path, ["\(data)/weights.spdw", "\(data)/input.f32", "\(data)/other.f32", "\(threads)"],
      environment: ["TSAN_OPTIONS": "halt_on_error=1"])
  }

  // MARK: - two models

  enum Language: String, Sendable, CaseIterable { case c11 = "c11", cxx17 = "c++17" }

  @Test(arguments: [CCompiler.Kind.clang, .gcc], Language.allCases)
  func twoModelsLinkIntoOneProgram(_ kind: CCompiler.Kind, _ language: Language) async throws {
    let compiler = try CCompiler.first(kind)
    let variant = Variant.best
    let openMP = try await openMPFlags(compiler)
    // The first is there already.
    let (first, second) = (
      try await workshop.object(.everyOp, variant, compiler.path, Workshop.fast + variant.flags + openMP),
      try await workshop.object(.second, variant, compiler.path, Workshop.quick + variant.flags + openMP)
    )
    let sources = [try await workshop.source(.everyOp, variant), try await workshop.source(.second, variant)]
    let data = [try await workshop.data(.everyOp).path, try await workshop.data(.second).path]
    guard let front = language == .c11 ? compiler.path : compiler.plusPlus else {
      try Test.cancel("there is no C++ compiler beside \(compiler.path)")
    }
    let place = try await workshop.once("two \(compiler.path) \(language)") { place in
      let object = place.appendingPathComponent("two.o").path
      let program = place.appendingPathComponent("two").path
      let text = Workshop.drivers.appendingPathComponent("two_models.c").path
      try await workshop.mustRun(
        front,
        ["-x", language == .c11 ? "c" : "c++", "-std=\(language.rawValue)", "-D_POSIX_C_SOURCE=200809L"]
          + ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1"] + sources.map { "-I\($0.path)/include" }
          + ["-c", text, "-o", object])
      try await workshop.mustRun(front, openMP + [object, first.path, second.path, "-o", program])
      try await workshop.mustRun(
        program,
        data.enumerated().flatMap { ["\($1)/weights.spdw", "\($1)/input.f32", "\(place.path)/output-\($0).f32"] })
      return place
    }
    for (index, sample) in [Sample.everyOp, .second].enumerated() {
      let output = try floats(place.appendingPathComponent("output-\(index).f32"))
      let comparison = Comparison(output, try await Reference.shared.output(sample))
      #expect(comparison.worst <= 1, "\(comparison)")
    }
  }

  private func openMPFlags(_ compiler: CCompiler) async throws -> [String] {
    let toolchain = try await Toolchain.find()
    return compiler.path == toolchain.compiler ? toolchain.openMPFlags : ["-fopenmp"]
  }

  // MARK: - sanitizers

  @Test(
    arguments: [(CCompiler.Kind.clang, Variant.best), (.clang, .bestUnfused), (.gcc, .best)]
      + (testsLongMatrix ? [(.clang, Variant(target: "scalar"))] : []))
  func addressAndBehaviourAreDefined(_ kind: CCompiler.Kind, _ variant: Variant) async throws {
    try await isSane(.everyOp, kind, variant)
  }

  @Test(.longMatrix, arguments: [CCompiler.Kind.clang, .gcc], Sample.shipped)
  func addressAndBehaviourOfShippedNetworksAreDefined(_ kind: CCompiler.Kind, _ sample: Sample) async throws {
    for variant in Variant.both { try await isSane(sample, kind, variant) }
  }

  private func isSane(_ sample: Sample, _ kind: CCompiler.Kind, _ variant: Variant) async throws {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O0"]
    let compiler = try await workshop.sanitizer(flags, [kind])
    let output = try await workshop.output(
      sample, variant, compiler.path, Workshop.strict + flags + variant.flags, link: ["-DEXACT"], openMP: false)
    let comparison = Comparison(output, try await Reference.shared.output(sample))
    #expect(comparison.worst <= 1, "\(comparison)")
  }

  @Test func statusesAreProvokedWithDefinedBehaviour() async throws {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O0"]
    let compiler = try await workshop.sanitizer(flags, [.clang, .gcc])
    let program = try await workshop.program(
      "statuses", .everyOp, .best, compiler.path, Workshop.strict + flags + Variant.best.flags, link: ["-DEXACT"])
    let data = try await workshop.data(.everyOp).path
    try await workshop.mustRun(program.path, ["\(data)/weights.spdw", "\(data)/input.f32", "0"])
  }

  @Test func threadsShareNothingButWeights() async throws {
    let flags = ["-fsanitize=thread", "-g1", "-O0"]
    let compiler = try await workshop.sanitizer(flags, [.clang, .gcc])
    let program = try await workshop.program(
      "contexts", .everyOp, .best, compiler.path, Workshop.strict + flags + Variant.best.flags)
    try await contexts(program, .everyOp, threads: 1)
  }
}
