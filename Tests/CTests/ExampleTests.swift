import Foundation
import Testing

@testable import SPDDriver

/// The examples build with the unchanged output of `spdc compile`, and agree with the interpreter.
@Suite struct ExampleTests {
  private let workshop = Workshop.shared
  private static let root = Workshop.drivers.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let examples = root.appendingPathComponent("Examples").path
  /// Other tests have the optimiser.
  private static let flags = "-O0 -march=native"
  private static let spdc = Files.executableFolder.appendingPathComponent("spdc").path

  /// The folder of a network, written by the command as a user would.
  private func emitted(_ sample: Sample) async throws -> URL {
    try await workshop.once("emitted \(sample)") { place in
      let folder = place.appendingPathComponent(sample.prefix)
      let size = try #require(sample.size)
      try await self.workshop.mustRun(
        Self.spdc,
        [
          "compile", sample.name, "--size", "\(size.height)x\(size.width)", "--weights", "synthetic", "--emit", "c",
          "-o", folder.path,
        ])
      return folder
    }
  }

  /// Expects the first of the five printed classes to be the interpreter's.
  private func expectBestClass(_ sample: Sample, _ printed: String) async throws {
    let output = try await Reference.shared.output(sample)
    let best = try #require(output.indices.max { output[$0] < output[$1] })
    let lines = printed.split(separator: "\n")
    #expect(lines.count == 5)
    let match = try #require(lines.first?.wholeMatch(of: #/class (\d+): (-?[\d.]+)/#))
    #expect(Int(match.1) == best)
    #expect(abs(try #require(Float(match.2)) - output[best]) < 1e-3)
  }

  @Test(arguments: [(CCompiler.Kind.clang, "-fopenmp"), (.gcc, "")])
  func cProgramClassifies(_ kind: CCompiler.Kind, openMP: String) async throws {
    try await classifies(kind, openMP: openMP)
  }

  @Test(.longMatrix, arguments: [(CCompiler.Kind.clang, ""), (.gcc, "-fopenmp")])
  func cProgramClassifiesHoweverItIsBuilt(_ kind: CCompiler.Kind, openMP: String) async throws {
    try await classifies(kind, openMP: openMP)
  }

  private func classifies(_ kind: CCompiler.Kind, openMP: String) async throws {
    guard let make = Toolchain.locate("make") else { try Test.cancel("make is not installed") }
    let compiler = try CCompiler.first(kind)
    let folder = try await emitted(.resnet18SPD)
    let build = try await workshop.once("example \(kind) \(openMP)") { $0 }
    let input = try await workshop.data(.resnet18SPD).appendingPathComponent("input.f32").path
    let outcome = try await workshop.run(
      make,
      [
        "-s", "-C", "\(Self.examples)/c", "MODEL_DIR=\(folder.path)", "BUILD=\(build.path)", "CC=\(compiler.path)",
        "OPENMP=\(openMP)", "CFLAGS=\(Self.flags)", "WARNINGS=-Wall -Wextra -Wpedantic -Werror", "INPUT=\(input)",
        "run",
      ])
    #expect(outcome.errors == "")
    try await expectBestClass(.resnet18SPD, outcome.output)

    // Errors name what is wrong, and where.
    let program = build.appendingPathComponent(Sample.resnet18SPD.prefix).path
    let weights = folder.appendingPathComponent("resnet18_spd.spdw").path
    for (arguments, message) in [
      ([weights, weights], "\(weights): this network takes 3072 floats (1 x 3 x 32 x 32)"),
      ([input], "\(input): this is no parameter file (it does not begin with SPDW)"),
      (["/nowhere"], "/nowhere: No such file or directory"), ([weights, "-", "0"], "THREADS: must be 1 or more"),
    ] {
      let outcome = try await workshop.run(program, arguments, environment: ["LC_ALL": "C"])
      #expect(!outcome.succeeded)
      #expect(outcome.errors.hasPrefix("error: \(message)"))
    }
  }

  @Test func cProgramDetects() async throws {
    guard let make = Toolchain.locate("make") else { try Test.cancel("make is not installed") }
    let toolchain = try await Toolchain.find()
    let folder = try await emitted(.yolov5SPD)
    let build = try await workshop.once("example detector") { $0 }
    let outcome = try await workshop.run(
      make,
      ["-s", "-C", "\(Self.examples)/c", "MODEL_DIR=\(folder.path)", "BUILD=\(build.path)", "CC=\(toolchain.compiler)"]
        + ["OPENMP=", "CFLAGS=\(Self.flags)", "run"])
    #expect(outcome.succeeded)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines.allSatisfy { $0.contains(#/^class \d+: 0\.\d+ at \(-?[\d.]+, -?[\d.]+\), [\d.]+ x [\d.]+$/#) })
  }

  @Test func cMakeBuildsIt() async throws {
    guard let cmake = Toolchain.locate("cmake") else { try Test.cancel("cmake is not installed") }
    let toolchain = try await Toolchain.find()
    let folder = try await emitted(.resnet18SPD)
    let build = try await workshop.once("example cmake") { $0 }
    try await workshop.mustRun(
      cmake,
      ["-S", "\(Self.examples)/c", "-B", build.path, "-DMODEL_DIR=\(folder.path)"]
        + ["-DCMAKE_C_COMPILER=\(toolchain.compiler)"])
    try await workshop.mustRun(cmake, ["--build", build.path])
    let input = try await workshop.data(.resnet18SPD).appendingPathComponent("input.f32").path
    let outcome = try await workshop.run(
      build.appendingPathComponent("demo").path, ["\(folder.path)/resnet18_spd.spdw", input, "2"])
    #expect(outcome.errors == "")
    try await expectBestClass(.resnet18SPD, outcome.output)
  }

  /// The application resolves this package as a dependency and links a folder that the command wrote.
  @Test func swiftApplicationRuns() async throws {
    guard let swift = Toolchain.locate("swift") else { try Test.cancel("swift is not installed") }
    let app = "\(Self.examples)/swift-app"
    try? FileManager.default.removeItem(atPath: "\(app)/Sources/resnet18_spd")
    try await workshop.mustRun(
      Self.spdc,
      ["compile", "resnet18-spd", "--emit", "c", "--weights", "synthetic", "-o", "\(app)/Sources/resnet18_spd"])
    // SwiftPM would remember whether OpenMP was there when it last read the package.
    let build = ["build", "-c", "release", "--manifest-cache", "none", "--package-path", app]
    try await workshop.mustRun(swift, build)
    let folder = try await workshop.run(swift, build + ["--show-bin-path"])
    let program = folder.output.trimmingCharacters(in: .whitespacesAndNewlines) + "/App"
    let weights = "\(app)/Sources/resnet18_spd/resnet18_spd.spdw"
    let once = try await workshop.run(program, ["1", weights])
    #expect(once.errors == "")
    #expect(once.output.split(separator: "\n").count == 5)
    #expect(once.output.contains(#/^class \d+: \d/#))
    let twice = try await workshop.run(program, ["2", weights])
    #expect(twice.output == once.output)
  }
}
