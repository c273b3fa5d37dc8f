import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver

/// What nearly every command takes: the network and how it is to be compiled.
struct ModelOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A model file (.swift), a graph (.json), or the name of a shipped model.",
      discussion: "A model file is a program: it is compiled and run to get its graph."))
  var model: String

  @Option(help: ArgumentHelp("Height and width of the input.", valueName: "HxW"))
  var size: SizeArgument?

  @Option(help: "Images per run.")
  var batch: Int?

  @Option(help: "Number of classes; by default the weights', else the model's.")
  var classes: Int?

  @Option(help: "safetensors, .npz, PyTorch .pt/.pth, .spdw, or `synthetic`.")
  var weights: String?

  @Option(help: "native, x86-64-v4, x86-64-v3, x86-64, aarch64 or scalar.")
  var target = "native"

  @Flag(help: "Leave every fusion out: each reindexing, normalisation, activation and sum is a loop of its own.")
  var unfused = false

  @Flag(help: "Convolutions add their products in the order of the formula: no Winograd.")
  var exact = false

  @Option(
    name: .customLong("largest-tile"),
    help: "Largest Winograd tile, 2, 4, 5, 6: smaller ones are more precise. Training: 2, without ReLU 4; else 6.")
  var largestTile: Int?

  @Flag(name: .customLong("low-memory"), help: "Winograd's larger weights only where they gain most for their memory.")
  var lowMemory = false

  @Flag(
    help: ArgumentHelp(
      "Measure which kernels are fastest on this machine, and take those.",
      discussion: "What was measured is kept, by processor, target and threads: the next time takes no time."))
  var tune = false

  @Option(name: .customLong("disable-pass"), help: ArgumentHelp("Leave one fusion out.", valueName: "name"))
  var disabled: [String] = []

  @Option(
    name: .customLong("dump-after"),
    help: ArgumentHelp("Print the graph behind a pass that changed it.", valueName: "pass|all"))
  var dumpAfter: String?

  func validate() throws {
    if let batch, batch < 1 { throw ValidationError("--batch must be 1 or more.") }
    if let classes, classes < 1 { throw ValidationError("--classes must be 1 or more.") }
    if let largestTile, ![2, 4, 5, 6].contains(largestTile) {
      throw ValidationError("--largest-tile must be 2, 4, 5 or 6.")
    }
    if exact, lowMemory { throw ValidationError("--exact and --low-memory exclude each other.") }
    let names = Pipeline.passes.map(\.name)
    if let dumpAfter, dumpAfter != "all", !names.contains(dumpAfter) {
      throw ValidationError("no pass is called \(dumpAfter); there are all, \(names.joined(separator: ", ")).")
    }
  }

  /// The same for the libraries.
  var compile: CompileOptions {
    var options = CompileOptions()
    (options.size, options.batch, options.classes, options.weights) = (size?.size, batch, classes, weights)
    (options.target, options.unfused, options.exact, options.lowMemory) = (target, unfused, exact, lowMemory)
    (options.largestTile, options.disabledPasses, options.tune) = (largestTile, disabled, tune)
    return options
  }

  func pipeline(for mode: Mode = .inference) -> Pipeline.Options { compile.pipeline(for: mode) }
}

/// `640x480` or `640`: height, then width.
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
    help: "OpenMP threads to run on; by default what affinity, CPU quota and OMP_NUM_THREADS allow (see `spdc doctor`)."
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
  /// The model with its weights; how they were mapped goes to standard error.
  func load(
    size: Size2D? = nil, batch: Int? = nil, required: Bool = true, quiet: Bool = false
  ) async throws -> Weighted {
    try await compile.load(model, size: size, batch: batch, weightsRequired: required, quiet: quiet)
  }

  /// Prints the graph behind passes, as asked for by `--dump-after`.
  func dump(_ compiled: Builder.Compiled) {
    guard let dumpAfter else { return }
    for record in compiled.records where dumpAfter == "all" || record.pass == dumpAfter {
      if let graph = record.after { Console.note("after \(record.pass):\n\(graph.text)") }
    }
  }
}
