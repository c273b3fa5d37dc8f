import Foundation
import Models
import SPD
import SPDCompiler
import SPDReference
import SPDRuntime
import Testing
import resnet18_spd
import yolov5_spd_n

@testable import SPDDriver

/// The committed C modules are up to date, and work when a Swift program imports them by name.
@Suite struct GeneratedTests {
  struct Module: Sendable, CustomTestStringConvertible {
    var model: Model
    var size: Size2D
    var describe: @Sendable () -> UnsafeRawPointer
    var testDescription: String { model.name }
    var prefix: String { Builder.prefix(model.name) }

    static let all = [
      Module(model: resnet18SPD, size: 64, describe: { resnet18_spd_module() }),
      Module(model: yolov5SPDN, size: 640, describe: { yolov5_spd_n_module() }),
    ]
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test(arguments: Module.all)
  func isUpToDate(_ module: Module) throws {
    let compiled = try Builder(target: "x86-64-v3").compile(module.model.graph(size: module.size), options: .init())
    let folder = Self.root.appendingPathComponent("Generated/\(module.prefix)")
    for (name, text) in [
      ("\(module.prefix).c", compiled.code.source), ("include/\(module.prefix).h", compiled.code.header),
    ] {
      let committed = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      // Not #expect(a == b), which would print both.
      let same = committed == text
      #expect(same, "Generated/\(module.prefix)/\(name) is out of date, run `make generated`")
    }
  }

  @Test(.enabled(if: runs, "code for x86-64-v3 does not run on this machine"), arguments: Module.all)
  func computesWhatTheInterpreterDoes(_ module: Module) throws {
    let graph = try module.model.graph(size: module.size)
    let input = syntheticInput(graph.input.shape)
    let expected = try Interpreter(graph: graph, parameters: syntheticParameters(of: graph)).outputs(input: input)
      .flatMap { $0 }

    let network = try Network(module: module.describe())
    #expect(network.name == module.model.name)
    let parameters = try ParameterFile(
      graphHash: graph.parameterHash, parameters: graph.storedParameters, values: syntheticParameter)
    let weights = try network.pack(parameters)
    let output = try network.session(weights, threads: 1).infer(input)
    #expect(output.count == expected.count)
    let wrong = zip(output, expected).filter { !(abs($0 - $1) <= 5e-4 + 1e-5 * abs($1)) }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    #if OPENMP
      let twice = try network.session(weights, threads: 2).infer(input)
      #expect(twice.map(\.bitPattern) == output.map(\.bitPattern))
    #else
      #expect(throws: RuntimeError.threads(network: network.name, asked: 2, granted: 1)) {
        try network.session(weights, threads: 2)
      }
    #endif
  }

  private static let runs = (try? Machine.runs(Machine.target(named: "x86-64-v3"))) ?? false
}
