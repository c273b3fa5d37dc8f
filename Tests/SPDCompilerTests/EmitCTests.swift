import Foundation
import Models
import SPD
import SPDTemplates
import TestSupport
import Testing

@testable import SPDCompiler

struct EmitCTests {
  private static let templates = Result { Templates(try SPDTemplates.load()) }

  private func emit(
    _ graph: Graph, unfused: Bool = false, prefix: String = "net", target: Target = .x86v3
  ) throws -> EmitC.Result {
    let lowered = try Pipeline.lowered(graph, unfused: unfused)
    let plan = try LowerToPlan.plan(lowered, prefix: prefix, target: target)
    return try EmitC.emit(plan, templates: Self.templates.get(), version: "1.2.3")
  }

  /// Larger networks have the same steps.
  private static let large = Shipped.names.filter { $0.hasPrefix("yolov5") && !$0.hasSuffix("n") }

  @Test(arguments: Shipped.names.filter { !large.contains($0) }, [false, true])
  func everyShippedNetwork(name: String, unfused: Bool) throws { try isWellFormed(name, unfused: unfused) }

  @Test(
    .enabled(if: testsLongMatrix, "the long matrix: make test-all"),
    arguments: large, [false, true])
  func everyLargeNetwork(name: String, unfused: Bool) throws { try isWellFormed(name, unfused: unfused) }

  private func isWellFormed(_ name: String, unfused: Bool) throws {
    let prefix = String(name.map { $0 == "-" ? "_" : $0 })
    let plan = try LowerToPlan.plan(Shipped.lowered(name, unfused: unfused), prefix: prefix, target: .x86v4)
    let first = try EmitC.emit(plan, templates: Self.templates.get(), version: "1.2.3")
    // A pure function of its input.
    let second = try EmitC.emit(plan, templates: Self.templates.get(), version: "1.2.3")
    #expect(first == second)
    check(first, prefix: prefix)
  }

  /// Every kernel, every target, whatever the passes leave.
  @Test(arguments: SmallNetwork.custom)
  func everySmallNetwork(network: SmallNetwork) throws {
    let graph = try network.graph()
    for target in Target.named {
      // What is not fused has the same text for every width.
      for unfused in target == .scalar ? [false, true] : [false] {
        check(try emit(graph, unfused: unfused, prefix: "small_net", target: target), prefix: "small_net")
      }
    }
    for choice in MeaningTests.Choice.all {
      let plan = try LowerToPlan.plan(choice.apply(to: graph), prefix: "small_net", target: .scalar)
      _ = try EmitC.emit(plan, templates: Self.templates.get(), version: "1.2.3")
    }
  }

  /// Rules for all generated text.
  private func check(_ result: EmitC.Result, prefix: String) {
    let words = ["malloc", "calloc", "alloca", "printf", "time(", "omp.h", "__DATE__", "__TIME__", "__FILE__", "@"]
    let folders = ["/home", "/usr", "/tmp", "/Users", "/\(#filePath.split(separator: "/")[0])/"]
    for text in [result.source, result.header] {
      let code = uncommented(text)
      #expect(words.filter { strstr(code, $0) != nil } == [])
      #expect(folders.filter { strstr(text, $0) != nil } == [])
      #expect(text.hasSuffix("\n"))
      #expect(!text.contains("Holes."))
    }
    let kernels = result.source.components(separatedBy: "\nOUTLINE void \(prefix)_").dropFirst()
      .map { $0.prefix { $0 != "(" } }
    #expect(Set(kernels).count == kernels.count)
    let symbols = externalSymbols(result.source)
    #expect(symbols.count == 7)
    #expect(symbols.filter { !$0.hasPrefix(prefix + "_") } == [])
    #expect(symbols.filter { !result.header.contains("\($0)(") } == [])
  }

  /// Functions and variables that are defined in a C text without `static`.
  private func externalSymbols(_ text: String) -> [String] {
    var symbols: [String] = []
    for line in uncommented(text).split(separator: "\n") {
      // Definitions begin in the first column; what does not is inside of one, or goes on with a line.
      guard let first = line.first, first.isLetter || first == "_" else { continue }
      if ["static ", "INLINE ", "OUTLINE ", "extern ", "typedef ", "enum ", "struct ", "_Static_assert"].contains(
        where: line.hasPrefix)
      {
        continue
      }
      let head = line.prefix { $0 != "(" && $0 != "=" && $0 != "[" && $0 != ";" }
      let name = head.split { !($0.isLetter || $0.isNumber || $0 == "_") }.last
      if let name { symbols.append(String(name)) }
    }
    return symbols
  }

  private func uncommented(_ text: String) -> String {
    let pieces = text.components(separatedBy: "/*")
    // What follows a comment; nothing follows one that does not end.
    return pieces[0] + pieces.dropFirst().map { $0.components(separatedBy: "*/").dropFirst().joined() }.joined()
  }

  @Test func theScanFindsExternalSymbols() {
    let text = """
      /* int commented(void)
      int commented_too(void) */
      static int a(void) { return 1; }
      int b(int x,
            int y)
      {
          return x;
      }
      const void *c(void) { return 0; }
      float table[3] = {1, 2, 3};
      INLINE void d(void) {}
      struct s {
          int field;
      };
      #define int e(x)

      """
    #expect(externalSymbols(text) == ["b", "c", "table"])
  }

  @Test func theHeaderSaysWhatTheCallerProvides() throws {
    let graph = try traced(3, 8, 8, batch: 2) { [$0.through(Conv2D(16, kernel: 3)), $0.through(GlobalAveragePool())] }
    let plan = try LowerToPlan.plan(Pipeline.lowered(graph), prefix: "two", target: .x86v3)
    let header = try emit(graph, prefix: "two").header
    for line in [
      "#define TWO_BATCH 2", "#define TWO_CHANNELS 3", "#define TWO_HEIGHT 8", "#define TWO_WIDTH 8",
      "#define TWO_INPUT_COUNT ((size_t)384)", "#define TWO_OUTPUT_COUNT ((size_t)2054)",
      "#define TWO_PACKED_BYTES (64 + 4 * (size_t)\(plan.packedCount))",
      "(4 * ((size_t)\(plan.arenaCount) + (size_t)(threads) * (size_t)\(plan.scratchCount)))",
      " * Output 0: 2 x 16 x 8 x 8\n * Output 1: 2 x 3\n",
    ] {
      #expect(header.contains(line), "\(line)")
    }
  }

  @Test func everyStepIsExplained() throws {
    let graph = try traced(3, 8, 8) { $0.through(SpaceToDepth(), Conv(16, kernel: 3).named("stem"), MaxPool(2)) }
    let source = try emit(graph).source
    let stem = "%4 = conv2d(%0[::2,::2] ++ %0[1::2,::2] ++ %0[::2,1::2] ++ %0[1::2,1::2]) k=3 p=1 12→16 *bn +silu"
    #expect(
      source.contains(
        "/* \(stem)      16×4×4      stem.conv  EmitCTests.swift:\(#line - 3) */\nstatic const winograd C004 = {\n"))
    #expect(source.contains("/* \(stem) */\n"))
    #expect(source.contains("conv_winograd(&C004, "))
    #expect(source.contains("net_n005_max_pool(") && source.contains("net_output0_copy("))
  }

  /// Convolutions that differ in shapes and addresses alone share their functions; each is a constant.
  @Test func likeStepsShareFunctions() throws {
    let graph = try traced(16, 8, 8) {
      $0.through(ReLU(), Conv2D(16, kernel: 5), Conv2D(16, kernel: 5), Conv2D(16, kernel: 5), Conv2D(16, kernel: 1))
    }
    let lines = try emit(graph).source.split(separator: "\n")
    let functions = lines.filter { $0.hasPrefix("OUTLINE void direct_") || $0.hasPrefix("OUTLINE void conv_direct") }
      .map { $0.dropFirst(13).prefix { $0 != "(" } }
    #expect(functions == ["conv_direct", "direct_1x4x1_5x5", "direct_finish_plain", "direct_1x4x1"])
    #expect(lines.filter { $0.hasPrefix("static const direct C") }.count == 4)
  }

  @Test func thePackHashTellsBuildsApart() throws {
    let graph = try traced(3, 8, 8) { $0.through(Conv2D(48, kernel: 3), Conv2D(48, kernel: 3)) }
    let hash = try emit(graph).packHash
    #expect(try emit(graph).packHash == hash)
    #expect(try emit(graph, target: .x86v4).packHash != hash)
  }
}
