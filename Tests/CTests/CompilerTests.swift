import Foundation
import SPDCompiler
import SPDTemplates
import Testing

@testable import SPDDriver

/// Generated C is plain C: strict compilers have nothing to say, with or without OpenMP, without any -m flag.
@Suite struct CompilerTests {
  private let workshop = Workshop.shared

  struct Build: Sendable, CustomTestStringConvertible {
    var compiler: CCompiler
    var openMP: Bool
    var testDescription: String { compiler.path + (openMP ? " -fopenmp" : "") }
    var flags: [String] { openMP ? ["-fopenmp"] : [] }
    static let all = CCompiler.all.flatMap { [Build(compiler: $0, openMP: false), Build(compiler: $0, openMP: true)] }
  }

  /// Without these the tests of this suite would show less than they say.
  @Test(arguments: [CCompiler.Kind.clang, .gcc])
  func isInstalled(_ kind: CCompiler.Kind) throws {
    _ = try CCompiler.first(kind)
  }

  @Test(arguments: Build.all)
  func networksCompileWithoutWarnings(_ build: Build) async throws {
    for sample in Sample.all {
      for variant in Variant.both {
        _ = try await workshop.object(sample, variant, build.compiler.path, Workshop.strict + build.flags)
      }
    }
  }

  /// Some warnings need the optimiser's analysis.
  @Test(arguments: CCompiler.all)
  func optimisedNetworksCompileWithoutWarnings(_ compiler: CCompiler) async throws {
    for target in ["x86-64", "scalar"] {
      _ = try await workshop.object(.everyOp, Variant(target: target), compiler.path, Workshop.strict + ["-O2"])
    }
  }

  @Test(arguments: Build.all, TemplateCase.all)
  func templatesCompileAlone(_ build: Build, _ template: TemplateCase) async throws {
    let templates = Templates(try SPDTemplates.load())
    guard template.isParallel || !build.openMP else { return }
    for lanes in [16, 4, 1] {
      let text = try template.text(templates, lanes: lanes)
      _ = try await workshop.once("template \(template.name) \(lanes) \(build)") { place in
        let source = place.appendingPathComponent("\(template.name).c")
        try text.write(to: source, atomically: true, encoding: .utf8)
        if let header = try template.header(templates) {
          try header.write(to: place.appendingPathComponent("small.h"), atomically: true, encoding: .utf8)
        }
        try await self.workshop.mustRun(
          build.compiler.path,
          Workshop.strict + build.flags + template.flags(lanes: lanes) + [
            "-O1", "-c", source.path, "-o", place.appendingPathComponent("out.o").path,
          ])
        return place
      }
    }
  }

  @Test func everyTemplateHasACase() throws {
    #expect(try Set(SPDTemplates.load().keys) == Set(TemplateCase.all.map(\.name)).union(Self.withinModules))
  }

  /// Templates of training, which compile only beside each other: `TrainingTests` compiles whole modules as strictly.
  private static let withinModules: Set = [
    "clear", "copy_gradient", "derivatives", "global_average_gradient", "gradients", "norm_statistics", "normalize",
    "normalize_gradient", "normalize_sums", "pack_training", "pack_training_image", "pool_gradient",
    "statistics",
    "training_module", "training_step", "transpose", "update", "update_apart", "update_in_backward", "weight_gradient",
    "weight_gradient_1x1", "weight_gradient_image",
    "weight_gradient_winograd",
    "winograd_gradients",
  ]

  /// Every symbol that an object shows the linker starts with the model's prefix, and it wants only OpenMP's.
  @Test(arguments: Sample.all.map { ($0, Variant.best) } + Sample.small.map { ($0, Variant.bestUnfused) })
  func objectsKeepTheirNamesToThemselves(_ sample: Sample, _ variant: Variant) async throws {
    guard let nm = Toolchain.locate("nm") else { try Test.cancel("nm is not installed") }
    let toolchain = try await Toolchain.find()
    var objects = [
      try await workshop.object(
        sample, variant, toolchain.compiler, Workshop.fast + variant.flags + toolchain.openMPFlags)
    ]
    if variant == .best, sample.isSmall, let gcc = CCompiler.all.first(where: { $0.kind == .gcc }) {
      objects.append(
        try await workshop.object(sample, variant, gcc.path, Workshop.fast + variant.flags + ["-fopenmp"]))
    }
    for object in objects {
      let defined = try await symbols(nm, ["-g", "--defined-only"], object)
      #expect(defined.contains("\(sample.prefix)_infer"))
      #expect(defined.filter { !$0.hasPrefix(sample.prefix + "_") } == [])
      let wanted = try await symbols(nm, ["--undefined-only"], object)
      let known = ["memset", "memcpy", "memmove", "_GLOBAL_OFFSET_TABLE_"]
      #expect(
        wanted.filter { name in
          !known.contains(name) && !["omp_", "__kmpc_", "GOMP_"].contains { name.hasPrefix($0) }
        } == [])
      #expect(wanted.contains { $0.hasPrefix("omp_") })
    }
  }

  private func symbols(_ nm: String, _ arguments: [String], _ object: URL) async throws -> [String] {
    let outcome = try await workshop.run(nm, arguments + [object.path])
    #expect(outcome.succeeded)
    return outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
  }
}
