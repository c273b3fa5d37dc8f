import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

struct Compile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn a network into C, and the C into a module.",
    discussion: """
      Writes <name>.c, include/<name>.h with a module map, the parameter file <name>.spdw (with --weights), an object, a \
      static and a shared library, and a README that says how to link them. With --emit graph or plan, JSON goes to \
      standard output or to the file given by -o. A model file is a program: it is compiled and run.
      """)

  enum Emit: String, ExpressibleByArgument, CaseIterable { case graph, plan, c, object, module }

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Folder to write to (graph, plan: file).", valueName: "dir"))
  var output: String?
  @Option(help: "How far to go: graph, plan, c, object or module.") var emit = Emit.module
  @Flag(help: "Also write the weights in the kernels' order, ready to be mapped (<name>.spdp); needs --weights.")
  var packed = false
  @Flag(help: "Forward, backward and update instead of inference: <name>_train.c.") var train = false
  @Option(
    name: .customLong("max-targets"),
    help: ArgumentHelp("With --train, of a detector: boxes that one batch may have. By default 128 for each image."))
  var maxTargets: Int?
  @OptionGroup var arena: ArenaLimit
  @OptionGroup var update: UpdateInBackward
  @Flag(help: "Print what was done as JSON.") var json = false

  func validate() throws {
    if train, packed { throw ValidationError("--train packs weights in every step: leave --packed out.") }
    if train, options.tune { throw ValidationError("--tune measures inference: leave it or --train out.") }
    if maxTargets != nil, !train { throw ValidationError("--max-targets needs --train.") }
    if arena.maxArena != nil, !train { throw ValidationError("--max-arena needs --train.") }
    if update.updateInBackward, !train { throw ValidationError("--update-in-backward needs --train.") }
    if let maxTargets, maxTargets < 1 { throw ValidationError("--max-targets must be 1 or more.") }
    if packed, options.weights == nil { throw ValidationError("--packed needs --weights.") }
    if packed, emit != .module { throw ValidationError("--packed needs the module: leave --emit out.") }
  }

  func run() async throws {
    try await reporting {
      var report = CompileReport(json: json || emit == .graph || emit == .plan)
      let weighted = try await report.time("model") {
        try await options.load(required: false, quiet: true)
      }
      let graph = weighted.graph
      report.line(
        "model", options.model,
        "\(grouped(graph.parameterCount)) parameters, \(String(format: "%.1f", Double(graph.cost.flops) / 1e9)) GFLOP")
      if let mapping = weighted.report {
        report.line("weights", "\(mapping.file) (\(mapping.origin))", mapping.summary)
      }
      if emit == .graph { return try text(graph) }

      let builder = try Builder(target: options.target)
      if emit == .object || emit == .module, !Machine.builds(builder.target) {
        throw Failure(
          .usage,
          "the C compiler here makes no code for \(builder.target.name); `spdc compile --emit c` writes the C, to be "
            + "compiled with a compiler that does")
      }
      if packed, !Machine.runs(builder.target) {
        throw Failure(
          .usage, "--packed runs the module, but code for \(builder.target.name) does not run on this machine")
      }
      var pipeline = options.pipeline(for: train ? .training : .inference)
      if train { pipeline.maxTargets = maxTargets ?? 128 * graph.input.shape.batch }
      pipeline.updatesInBackward = update.updateInBackward
      if arena.maxArena != nil {
        pipeline = try report.time("fit") {
          try arena.apply(to: pipeline, graph, builder, threads: try threads.threads)
        }
      }
      if options.tune {
        let (tuned, tuning) = try await report.time("tune") {
          try await Tuner(builder: builder, threads: try threads.threads).tune(graph, pipeline)
        }
        pipeline = tuned
        report.tuning = tuning
        report.line("tune", tuning.summary, "")
      }
      let (lowered, records) = try report.time("passes") { try Pipeline.run(graph, options: pipeline) }
      for (index, line) in Fusions(graph, records).lines.enumerated() {
        report.line(index == 0 ? "passes" : "", line, "")
      }
      let plan = try report.time("plan") {
        try PlanMemory.plan(
          lowered, prefix: Builder.prefix(graph.name, pipeline.mode), target: builder.target, kernels: pipeline.kernels,
          mode: pipeline.mode, maxTargets: pipeline.maxTargets, updatesInBackward: pipeline.updatesInBackward)
      }
      if emit == .plan { return try text(plan) }
      let code = try report.time("emit") {
        try EmitC.emit(plan, templates: builder.templates, version: spdcVersion)
      }
      let compiled = Builder.Compiled(graph: graph, plan: plan, records: records, code: code)
      options.dump(compiled)
      let lines = code.source.utf8.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
      report.line("emit", "\(plan.prefix).c", "\(grouped(lines)) lines")

      let folder = output ?? "build/\(plan.prefix)"
      let (files, compiler) = try await EmittedModule(
        compiled: compiled, weighted: weighted, builder: builder, writesWeights: options.weights != nil,
        writesPacked: packed, products: products
      ).write(to: folder)
      if let compiler {
        report.took(compiler.name, compiler.time)
        report.line(
          compiler.name,
          (Builder.fastFlags + builder.target.flags + ["-fopenmp"]).dropFirst().joined(separator: " "), "")
      }
      if let state = plan.state {
        report.line(
          "arena", "\(megabytes(plan.arenaBytes(threads: 1))) for one thread",
          "state \(megabytes(state.count * 4)) for each of its arrays")
      } else {
        report.line(
          "arena",
          "\(megabytes(plan.arenaBytes(threads: 1))) for one thread (unfused \(try unfusedArena(graph, builder)))",
          "packed weights \(megabytes(plan.packedCount * 4))")
      }
      try report.finish(folder: folder, files: files, compiled, mapping: weighted.report, target: builder.target.name)
    }
  }

  private var products: EmittedModule.Products {
    switch emit {
    case .object: .object
    case .module: .libraries
    case .graph, .plan, .c: .source
    }
  }

  /// What the fusions save, as the size of the arena without them.
  private func unfusedArena(_ graph: Graph, _ builder: Builder) throws -> String {
    var options = options.pipeline()
    options.unfused = true
    let lowered = try Pipeline.run(graph, options: options).graph
    let plan = try PlanMemory.plan(
      lowered, prefix: Builder.prefix(graph.name), target: builder.target, kernels: options.kernels)
    return megabytes(plan.arenaBytes(threads: 1))
  }

  private func text(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(value)
    if let output {
      try Files.write(data, to: output)
    } else {
      Console.print(exactly: String(decoding: data, as: UTF8.self))
    }
  }
}

/// Collects the lines of the summary and the time that each part took.
struct CompileReport {
  let json: Bool
  var tuning: Tuning?
  private var seconds: [String: Double] = [:]

  init(json: Bool) { self.json = json }

  mutating func time<Result>(_ part: String, _ body: () async throws -> Result) async rethrows -> Result {
    let start = ContinuousClock.now
    let result = try await body()
    seconds[part] = (ContinuousClock.now - start).seconds
    return result
  }

  mutating func time<Result>(_ part: String, _ body: () throws -> Result) rethrows -> Result {
    let start = ContinuousClock.now
    let result = try body()
    seconds[part] = (ContinuousClock.now - start).seconds
    return result
  }

  mutating func took(_ part: String, _ duration: Duration) { seconds[part] = duration.seconds }

  func line(_ part: String, _ what: String, _ figures: String) {
    guard !json else { return }
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    let time = seconds[part].map { String(format: "%6.2f s", $0) } ?? ""
    // A long line keeps the time in its column by taking the figures' room.
    let text = figures.isEmpty ? pad(what, 90) : pad(what, 46) + pad(figures, 44)
    Console.print("  " + pad(part, 11) + text + time)
  }

  func finish(
    folder: String, files: [String], _ compiled: Builder.Compiled, mapping: MappingReport?, target: String
  ) throws {
    guard json else {
      Console.print("  → \(folder)/" + (files.contains("README.md") ? "   link it: see \(folder)/README.md" : ""))
      return
    }
    struct Answer: Encodable {
      var model: String, folder: String, files: [String], target: String, parameters: Int, flops: Int
      var arenaBytes: Int, packedBytes: Int, fusions: Fusions, weights: MappingReport?, tuning: Tuning?
      var seconds: [String: Double]
    }
    try Console.print(
      json: Answer(
        model: compiled.graph.name, folder: folder, files: files, target: target,
        parameters: compiled.graph.parameterCount, flops: compiled.graph.cost.flops,
        arenaBytes: compiled.plan.arenaBytes(threads: 1), packedBytes: compiled.plan.packedCount * 4 + 64,
        fusions: Fusions(compiled.graph, compiled.records), weights: mapping, tuning: tuning, seconds: seconds))
  }
}
