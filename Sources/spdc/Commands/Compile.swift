import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDRuntime

struct Compile: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compile a network to C and to libraries.",
    discussion: """
      Writes <name>.c, include/<name>.h with a module map, the parameter file <name>.spdw (with --weights), an object file, a \
      static and a shared library, and a README about linking them. With --emit graph or plan, JSON is written to \
      standard output or to the file given by -o. A model file is a program that is compiled and run.
      """)

  enum Emit: String, ExpressibleByArgument, CaseIterable { case graph, plan, c, object, module }

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Output folder; output file with --emit graph or plan.", valueName: "dir"))
  var output: String?
  @Option(help: "Last stage to produce: graph, plan, c, object or module.") var emit = Emit.module
  @Flag(help: "Also write the packed weights, ready to be memory-mapped (<name>.spdp); needs --weights.")
  var packed = false
  @Flag(help: "Compile the training step (forward pass, backward pass, update) instead of inference: <name>_train.c.")
  var train = false
  @Option(
    name: .customLong("max-targets"),
    help: ArgumentHelp(
      "Maximum number of ground-truth boxes per batch, for detectors with --train. Default: 128 per image."))
  var maxTargets: Int?
  @OptionGroup var arena: ArenaLimit
  @OptionGroup var update: UpdateInBackward
  @Flag(help: "Print the summary as JSON.") var json = false

  func validate() throws {
    if train, packed { throw ValidationError("--train packs weights in every step; remove --packed.") }
    if train, options.tune { throw ValidationError("--tune measures inference only; remove --tune or --train.") }
    if maxTargets != nil, !train { throw ValidationError("--max-targets needs --train.") }
    if arena.maxArena != nil, !train { throw ValidationError("--max-arena needs --train.") }
    if update.updateInBackward, !train { throw ValidationError("--update-in-backward needs --train.") }
    if let maxTargets, maxTargets < 1 { throw ValidationError("--max-targets must be 1 or more.") }
    if packed, options.weights == nil { throw ValidationError("--packed needs --weights.") }
    if packed, emit != .module { throw ValidationError("--packed needs the module; remove --emit.") }
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
          "the C compiler on this machine cannot generate code for \(builder.target.name); write the C with "
            + "`spdc compile --emit c` and cross-compile it")
      }
      if packed, !Machine.runs(builder.target) {
        throw Failure(
          .usage, "--packed runs the module, but this machine cannot run code for \(builder.target.name)")
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
        try LowerToPlan.plan(
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
          "state \(megabytes(state.count * 4)) per array")
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

  /// Arena size without fusions, for comparison.
  private func unfusedArena(_ graph: Graph, _ builder: Builder) throws -> String {
    var options = options.pipeline()
    options.unfused = true
    let lowered = try Pipeline.run(graph, options: options).graph
    let plan = try LowerToPlan.plan(
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

/// Collects the summary lines and the time of each stage.
struct CompileReport {
  let json: Bool
  var tuning: Tuning?
  private var seconds: [String: Double] = [:]

  init(json: Bool) { self.json = json }

  mutating func time<Result>(_ stage: String, _ body: () async throws -> Result) async rethrows -> Result {
    let start = ContinuousClock.now
    let result = try await body()
    seconds[stage] = (ContinuousClock.now - start).seconds
    return result
  }

  mutating func time<Result>(_ stage: String, _ body: () throws -> Result) rethrows -> Result {
    let start = ContinuousClock.now
    let result = try body()
    seconds[stage] = (ContinuousClock.now - start).seconds
    return result
  }

  mutating func took(_ stage: String, _ duration: Duration) { seconds[stage] = duration.seconds }

  func line(_ stage: String, _ what: String, _ details: String) {
    guard !json else { return }
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    let time = seconds[stage].map { String(format: "%6.2f s", $0) } ?? ""
    // A line without details extends into their column, so that times stay aligned.
    let text = details.isEmpty ? pad(what, 90) : pad(what, 46) + pad(details, 44)
    Console.print("  " + pad(stage, 11) + text + time)
  }

  func finish(
    folder: String, files: [String], _ compiled: Builder.Compiled, mapping: MappingReport?, target: String
  ) throws {
    guard json else {
      Console.print("  → \(folder)/" + (files.contains("README.md") ? "   linking: see \(folder)/README.md" : ""))
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
