import Foundation
import SPDCompiler
import SPDTemplates
import TestSupport
import Testing

@testable import SPDDriver

/// Generated C is plain C: strict compilers give no warnings, with or without OpenMP, without any -m flag.
@Suite struct CompilerTests {
  private let workshop = Workshop.shared

  struct Build: Sendable, CustomTestStringConvertible {
    var compiler: CCompiler
    var openMP: Bool
    var testDescription: String { compiler.path + (openMP ? " -fopenmp" : "") }
    var flags: [String] { openMP ? ["-fopenmp"] : [] }
    static let all = CCompiler.all.flatMap { [Build(compiler: $0, openMP: false), Build(compiler: $0, openMP: true)] }
    /// With OpenMP, one width stands for all but in the long matrix.
    static let templates = all.flatMap { build in
      (build.openMP && !testsLongMatrix ? [16] : [16, 4, 1]).map { (build, $0) }
    }
  }

  /// Without these compilers the tests of this suite would prove less.
  @Test(arguments: [CCompiler.Kind.clang, .gcc])
  func isInstalled(_ kind: CCompiler.Kind) throws {
    _ = try CCompiler.first(kind)
  }

  /// Warnings need no object file.
  private func checks(_ sample: Sample, _ variant: Variant, _ build: Build) async throws {
    let source = try await workshop.source(sample, variant)
    let flags = Workshop.strict + build.flags + ["-fsyntax-only", "-I\(source.path)/include"]
    try await workshop.mustRun(build.compiler.path, flags + ["\(source.path)/\(sample.prefix(variant)).c"])
  }

  @Test(arguments: Build.all)
  func networksCompileWithoutWarnings(_ build: Build) async throws {
    for variant in Variant.both { try await checks(.everyOp, variant, build) }
    for sample in [Sample.minimal, .average] {
      for mode in [Mode.inference, .training] { try await checks(sample, Variant(target: "x86-64", mode: mode), build) }
    }
    for inBackward in [false, true] {
      let variant = Variant(target: "x86-64", mode: .training, updatesInBackward: inBackward)
      try await checks(.everyTrained, variant, build)
    }
  }

  @Test(.longMatrix, arguments: Build.all)
  func shippedNetworksCompileWithoutWarnings(_ build: Build) async throws {
    for sample in Sample.shipped {
      for variant in Variant.both { try await checks(sample, variant, build) }
    }
    try await checks(.yolov5Trained, Variant(target: "x86-64", mode: .training), build)
  }

  /// Some warnings need the optimiser's analysis; other tests build the same network as strictly for the best target.
  @Test(.longMatrix, arguments: CCompiler.all)
  func optimisedNetworksCompileWithoutWarnings(_ compiler: CCompiler) async throws {
    _ = try await workshop.object(.everyOp, Variant(target: "x86-64"), compiler.path, Workshop.strict + ["-O2"])
  }

  @Test(.longMatrix, arguments: CCompiler.all)
  func optimisedTrainingAndScalarsCompileWithoutWarnings(_ compiler: CCompiler) async throws {
    for (sample, mode) in [(Sample.everyOp, Mode.inference), (.everyTrained, .training)] {
      _ = try await workshop.object(
        sample, Variant(target: "scalar", mode: mode), compiler.path, Workshop.strict + ["-O2"])
    }
  }

  #if arch(x86_64)
    /// What compilers make of a register tile depends on details of its C: with accumulators in memory it takes three times as long.
    @Test(arguments: CCompiler.all, ["x86-64-v3", "x86-64-v4"])
    func registerTilesStayInRegisters(_ compiler: CCompiler, target: String) async throws {
      let variant = Variant(target: target)
      let prefix = Sample.resnet50SPD.prefix(variant)
      let source = try await workshop.source(.resnet50SPD, variant)
      let assembly = source.appendingPathComponent("\(UUID().uuidString).s")
      let flags = try Builder(target: target).target.flags + ["-O3", "-ffp-contract=fast", "-fno-math-errno"]
      try await workshop.mustRun(
        compiler.path,
        flags + ["-I\(source.path)/include", "-S", "\(source.path)/\(prefix).c", "-o", assembly.path])
      let tiles = try RegisterTile.all(in: String(contentsOf: assembly, encoding: .utf8))
      #expect(tiles.count >= 8)
      #expect(tiles.filter { $0.products < 4 || $0.stored * 3 > $0.products }.map(\.name) == [])
    }

    /// A function of register tiles in assembly: its fused multiply-adds, and those whose result goes to the stack at once.
    private struct RegisterTile {
      var name: String
      var products = 0
      var stored = 0

      static func all(in assembly: String) -> [RegisterTile] {
        var tiles: [RegisterTile] = []
        var (isTile, afterProduct) = (false, false)
        for line in assembly.split(separator: "\n") {
          if let name = line.firstMatch(of: #/^(\w+):/#)?.1 {
            isTile = name.starts(with: #/direct_\d|winograd_product_\d/#)
            if isTile { tiles.append(RegisterTile(name: String(name))) }
          } else if isTile, line.contains("\tvfmadd") {
            tiles[tiles.count - 1].products += 1
          } else if isTile, afterProduct, line.contains(#/vmovap[sd]\s+%[xyz]mm\d+, .*\(%r[sb]p\)/#) {
            tiles[tiles.count - 1].stored += 1
          }
          afterProduct = line.contains("\tvfmadd")
        }
        return tiles
      }
    }
  #endif

  /// Each in a file of its own; one run of the compiler for all of them. Few have something for OpenMP, but none may mind it.
  @Test(arguments: Build.templates)
  func templatesCompileAlone(_ build: Build, lanes: Int) async throws {
    let templates = Templates(try SPDTemplates.load())
    let cases = TemplateCase.all.filter { $0.flags(lanes: lanes).isEmpty }
    try #require(cases.count > 30)
    try await compile(cases, templates, build, lanes: lanes)
    for other in TemplateCase.all where !other.flags(lanes: lanes).isEmpty {
      try await compile([other], templates, build, lanes: lanes)
    }
  }

  private func compile(_ cases: [TemplateCase], _ templates: Templates, _ build: Build, lanes: Int) async throws {
    let flags = Workshop.quick + build.flags + ["-c"] + cases[0].flags(lanes: lanes)
    _ = try await workshop.once("templates \(cases.map(\.name)) \(lanes) \(build)") { place in
      for template in cases {
        try template.text(templates, lanes: lanes).write(
          to: place.appendingPathComponent("\(template.name).c"), atomically: true, encoding: .utf8)
        if let header = try template.header(templates) {
          try header.write(to: place.appendingPathComponent("small.h"), atomically: true, encoding: .utf8)
        }
      }
      // Several files leave their objects in the current folder.
      try await self.workshop.mustRun(
        "/bin/sh",
        ["-c", "cd \"$0\" && exec \"$@\"", place.path, build.compiler.path] + flags + cases.map { $0.name + ".c" })
      for template in cases {
        #expect(FileManager.default.fileExists(atPath: place.appendingPathComponent("\(template.name).o").path))
      }
      return place
    }
  }

  @Test func everyTemplateHasACase() throws {
    #expect(try Set(SPDTemplates.load().keys) == Set(TemplateCase.all.map(\.name)).union(Self.withinModules))
  }

  /// Templates that compile only beside each other: whole modules are compiled as strictly.
  private static let withinModules: Set = [
    "multiply", "clamp", "exponential", "relu", "leaky_relu", "silu", "sigmoid", "hard_swish", "convolution", "direct",
    "direct_tile", "direct_tile_mixed", "direct_finish", "conv_direct", "winograd",
    "winograd_read", "winograd_write", "winograd_products", "winograd_kernel", "conv_winograd",
    "activation_gradient", "clear", "copy_gradient", "derivatives", "global_average_gradient", "gradients",
    "norm_statistics", "normalize",
    "normalize_gradient", "batch_norm_backward_reduce", "pack_training", "pack_training_bias",
    "pack_training_direct", "pack_training_image", "pack_training_winograd", "pool_gradient", "statistics",
    "training_module", "training_step", "transpose", "update", "update_apart", "update_in_backward", "weight_gradient",
    "weight_gradient_1x1", "weight_gradient_image",
    "weight_gradient_winograd",
    "winograd_gradients",
  ]

  /// Every exported symbol of an object starts with the model's prefix, and it imports only OpenMP's.
  @Test(arguments: [(Sample.everyOp, Variant.best), (.everyOp, .bestUnfused), (.everyTrained, .bestTraining)])
  func objectsKeepTheirNamesToThemselves(_ sample: Sample, _ variant: Variant) async throws {
    guard let nm = Toolchain.locate("nm") else { try Test.cancel("nm is not installed") }
    let toolchain = try await Toolchain.find()
    let flags = variant == .bestUnfused ? Workshop.quick : Workshop.fast
    var objects = [
      try await workshop.object(sample, variant, toolchain.compiler, flags + variant.flags + toolchain.openMPFlags)
    ]
    if variant == .best, let gcc = CCompiler.all.first(where: { $0.kind == .gcc }) {
      objects.append(
        try await workshop.object(sample, variant, gcc.path, Workshop.fast + variant.flags + ["-fopenmp"]))
    }
    for object in objects {
      let defined = try await symbols(nm, ["-g", "--defined-only"], object)
      let prefix = sample.prefix(variant)
      #expect(defined.contains(prefix + (variant.mode == .training ? "_step" : "_infer")), "\(defined)")
      #expect(defined.filter { !$0.hasPrefix(prefix + "_") } == [])
      let wanted = try await symbols(nm, ["--undefined-only"], object)
      let known = ["memset", "memcpy", "memmove", "_GLOBAL_OFFSET_TABLE_"]
      #expect(
        wanted.filter { name in
          !known.contains(name) && !["omp_", "__kmpc_", "GOMP_"].contains { name.hasPrefix($0) }
        } == [])
      #expect(wanted.contains { $0.hasPrefix("omp_") })
    }
  }

  /// Whatever a model is called, its prefix and what follows it make none of the names that all files have.
  @Test(arguments: [(Sample.everyOp, Variant.best), (.everyTrained, .bestTraining)])
  func noPrefixMakesANameOfTheirs(_ sample: Sample, _ variant: Variant) throws {
    let code = try sample.code(variant)
    let prefix = sample.prefix(variant)
    let words = Set((code.header + code.source).matches(of: #/[A-Za-z_]\w*/#).map { String($0.0) })
    let endings = words.compactMap { word in
      [prefix, prefix.uppercased()].first { word.hasPrefix($0 + "_") }.map { word.dropFirst($0.count) }
    }
    try #require(endings.count > 20)
    // Functions and macros; parameters and variables may hide such a name.
    let definitions = #/(?m)^(?:#define |(?:static|OUTLINE|INLINE)\b[^(;=\n]*?\b(?=\w+\())(\w+)/#
    let global = Set(code.source.matches(of: definitions).map { String($0.1) })
      .filter { !$0.lowercased().hasPrefix(prefix) }
    try #require(global.count > 20)
    let training = variant.mode == .training ? "_train" : ""
    let collisions = global.filter { name in
      endings.contains { ending in
        name.hasSuffix(ending) && name.count > ending.count
          && name.dropLast(ending.count).lowercased().hasSuffix(training)
      }
    }
    #expect(collisions == [])
  }

  private func symbols(_ nm: String, _ arguments: [String], _ object: URL) async throws -> [String] {
    let outcome = try await workshop.run(nm, arguments + [object.path])
    #expect(outcome.succeeded)
    return outcome.output.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
  }
}
