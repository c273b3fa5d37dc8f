import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver

/// Options of nearly every command: the network and how to compile it.
struct ModelOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Model file (.swift), graph (.json) or name of a shipped model.",
      discussion: "A model file is a program that is compiled and run to obtain its graph."))
  var model: String

  @Option(help: ArgumentHelp("Height and width of the input.", valueName: "HxW"))
  var size: SizeArgument?

  @Option(help: "Batch size.")
  var batch: Int?

  @Option(help: "Number of classes. Default: the weights', else the model's.")
  var classes: Int?

  @Option(help: "Weight file (safetensors, .npz, PyTorch .pt/.pth, .spdw), or `synthetic`.")
  var weights: String?

  @OptionGroup var code: CodeOptions

  @Option(
    name: .customLong("dump-after"),
    help: ArgumentHelp("Print the graph after a pass that changed it.", valueName: "pass|all"))
  var dumpAfter: String?

  func validate() throws {
    if let batch, batch < 1 { throw ValidationError("--batch must be 1 or more.") }
    if let classes, classes < 1 { throw ValidationError("--classes must be 1 or more.") }
    let names = Pipeline.passes.map(\.name)
    if let dumpAfter, dumpAfter != "all", !names.contains(dumpAfter) {
      throw ValidationError("there is no pass \(dumpAfter); available: all, \(names.joined(separator: ", ")).")
    }
  }

  /// These options as the libraries take them.
  var compile: CompileOptions {
    var options = CompileOptions()
    (options.size, options.batch, options.classes, options.weights) = (size?.size, batch, classes, weights)
    code.apply(to: &options)
    return options
  }

  var target: String { code.target }
  var tune: Bool { code.tune }
  var exact: Bool { code.exact }
  var unfused: Bool { code.unfused }

  func pipeline(for mode: Mode = .inference) -> Pipeline.Options { compile.pipeline(for: mode) }
}

/// An input size: `640x480` (height, width) or `640`.
struct SizeArgument: ExpressibleByArgument {
  var size: Size2D

  init?(argument: String) {
    let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(parts.count), let height = parts[0], let width = parts.last ?? nil,
      (1...65536).contains(height), (1...65536).contains(width)
    else { return nil }
    size = Size2D(height, width)
  }
}

/// The number of threads, for commands that run.
struct ThreadOptions: ParsableArguments {
  @Option(
    name: .customLong("threads"),
    help: "Number of OpenMP threads. Default: what affinity, CPU quota and OMP_NUM_THREADS allow (see `spdc doctor`)."
  )
  var asked: Int?

  func validate() throws {
    if let asked, !(1...1024).contains(asked) { throw ValidationError("--threads must be 1 to 1024.") }
  }

  var threads: Int {
    get throws { try asked ?? Machine.threadBudget().threads }
  }
}

extension ModelOptions {
  /// Loads the model with its weights and reports their mapping on standard error.
  func load(
    size: Size2D? = nil, batch: Int? = nil, required: Bool = true, quiet: Bool = false
  ) async throws -> Weighted {
    try await compile.load(model, size: size, batch: batch, weightsRequired: required, quiet: quiet)
  }

  /// Prints the graph after the passes named by `--dump-after`.
  func dump(_ compiled: Builder.Compiled) {
    guard let dumpAfter else { return }
    for record in compiled.records where dumpAfter == "all" || record.pass == dumpAfter {
      if let graph = record.after { Console.note("after \(record.pass):\n\(graph.text)") }
    }
  }
}
