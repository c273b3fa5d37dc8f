import Foundation
import Testing

/// Output of `spdc compile`, `explain` and `doctor` on success.
@Suite struct CompileTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func aModuleHasEverythingThatLinkingNeeds() async throws {
    let run = try await spdc("compile", Place.tiny, "--weights", "synthetic", "--packed", "-o", scratch("a module"))
      .succeeded()
    for part in ["model", "passes", "emit", "arena", "2 space-to-depths read in place", "README.md"] {
      #expect(run.output.contains(part))
    }
    #expect(
      scratch.names == [
        "a module", "a module/README.md", "a module/include", "a module/include/module.modulemap",
        "a module/include/tiny_spd.h", "a module/libtiny_spd.a", "a module/libtiny_spd.so", "a module/tiny_spd.c",
        "a module/tiny_spd.o", "a module/tiny_spd.spdp", "a module/tiny_spd.spdw",
      ])
  }

  @Test func jsonSaysWhatWasDone() async throws {
    let answer = try await spdc(
      "compile", Place.tiny, "--weights", "synthetic", "--emit", "object", "--json", "-o", scratch("o")
    ).succeeded().object()
    #expect(answer["model"] as? String == "tiny-spd")
    #expect(
      answer["files"] as? [String] == [
        "tiny_spd.c", "include/tiny_spd.h", "include/module.modulemap", "tiny_spd.spdw", "tiny_spd.o",
      ])
    #expect(answer["parameters"] as? Int == 27930)
    #expect((answer["fusions"] as? [String: Any])?["spaceToDepthsFused"] as? Int == 2)
  }

  @Test(arguments: ["graph", "plan"]) func graphAndPlanAreJSON(_ kind: String) async throws {
    let printed = try await spdc("compile", Place.tiny, "--emit", kind).succeeded()
    _ = try printed.object()
    let written = try await spdc("compile", Place.tiny, "--emit", kind, "-o", scratch("\(kind).json")).succeeded()
    #expect(written.output.isEmpty)
    #expect(try bytes(scratch("\(kind).json")) + [10] == Array(printed.output.utf8))
  }

  @Test func aGraphFileIsAModelToo() async throws {
    try await spdc("compile", Place.tiny, "--emit", "graph", "-o", scratch("g.json")).succeeded()
    try await spdc("compile", Place.tiny, "--emit", "c", "-o", scratch("a")).succeeded()
    let run = try await spdc("compile", scratch("g.json"), "--emit", "c", "-o", scratch("b")).succeeded()
    #expect(!run.output.contains("README"))
    #expect(try bytes(scratch("a/tiny_spd.c")) == bytes(scratch("b/tiny_spd.c")))
    #expect(!exists(scratch("a/tiny_spd.o")))
  }

  @Test func aShippedModelFileCompilesByPath() async throws {
    let file = Place.repository + "/Sources/Models/yolov5-spd-m.swift"
    let run = try await spdc("compile", file, "--emit", "c", "-o", scratch("m")).succeeded()
    #expect(run.output.contains("24,646,557 parameters, 87.8 GFLOP"))
    #expect(run.output.contains("7 space-to-depths read in place"))
    try await spdc("compile", "yolov5-spd-m", "--emit", "c", "-o", scratch("n")).succeeded()
    // Equal except for the source lines of the layers.
    #expect(try bytes(scratch("m/yolov5_spd_m.c")).count == bytes(scratch("n/yolov5_spd_m.c")).count)
  }

  @Test func codeForOtherMachinesIsWrittenButNotBuilt() async throws {
    #if arch(x86_64)
      let other = "aarch64"
    #else
      let other = "x86-64"
    #endif
    try await spdc("compile", Place.tiny, "--target", other, "--emit", "c", "-o", scratch("c")).succeeded()
    let run = try await spdc("compile", Place.tiny, "--target", other, "--json", "-o", scratch("m"))
    run.failed(.usage, "cannot generate code for \(other)", "--emit c")
    #expect(!exists(scratch("m")))
  }

  @Test func explainSaysWhy() async throws {
    let run = try await spdc("explain", Place.tiny).succeeded()
    for part in ["fuse-space-to-depth", "tiny-spd.swift:", "GFLOP", "arena", "conv_direct"] {
      #expect(run.output.contains(part))
    }
    let answer = try await spdc("explain", Place.tiny, "--json").succeeded().object()
    #expect(
      Set(answer.keys).isSuperset(of: ["model", "passes", "layers", "flops", "parameters", "arenaBytes", "fusions"]))
    let graphs = try await spdc("explain", Place.tiny, "--graphs", "--disable-pass", "fuse-space-to-depth").succeeded()
    #expect(graphs.output.contains("as declared:") && graphs.output.contains("space_to_depth"))
  }

  @Test func graphsAfterPassesGoToStandardError() async throws {
    let run = try await spdc(
      "compile", Place.tiny, "--emit", "c", "--json", "--dump-after", "fold-batch-norm", "-o", scratch("d")
    ).succeeded()
    _ = try run.object()
    #expect(run.errors.contains("after fold-batch-norm:"))
  }

  @Test func doctorFindsTheTools() async throws {
    let run = try await spdc("doctor").succeeded()
    #expect(run.output.contains("chosen") && run.output.contains("model files  ready"))
    let answer = try await spdc("doctor", "--json").succeeded().object()
    #expect(answer["ok"] as? Bool == true && answer["modelLibrary"] as? Bool == true)
  }

  @Test(arguments: [
    "compile", "run", "detect", "classify", "bench", "explain", "verify", "convert", "export", "doctor",
  ]) func everyCommandExplainsItself(_ name: String) async throws {
    let run = try await spdc("help", name).succeeded()
    #expect(run.output.contains("OVERVIEW:") && run.output.contains("--json"))
    if !["convert", "doctor"].contains(name) { #expect(run.output.contains("A model file is a program")) }
  }

  @Test func theVersionIsPrinted() async throws {
    #expect(try await spdc("--version").succeeded().output.hasPrefix("0."))
  }
}
