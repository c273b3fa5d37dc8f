import Foundation
import SPD
import SPDCompiler
import SPDRuntime
import SPDTemplates

package let spdcVersion = "0.1.0"

/// From a graph to C, and from C to a loaded network.
package struct Builder {
  package var templates: Templates
  package var target: Target

  package init(target name: String) throws {
    templates = Templates(try SPDTemplates.load())
    target = try Machine.target(named: name)
  }

  /// A graph with everything that compiling it made.
  package struct Compiled {
    package var graph: Graph
    package var plan: Plan
    package var records: [Pipeline.Record]
    package var code: EmitC.Result
    package var prefix: String { plan.prefix }

    package init(graph: Graph, plan: Plan, records: [Pipeline.Record], code: EmitC.Result) {
      (self.graph, self.plan, self.records, self.code) = (graph, plan, records, code)
    }
  }

  /// - Parameter reuse: false keeps every result in the arena, for looking at them.
  package func compile(_ graph: Graph, options: Pipeline.Options, reuse: Bool = true) throws -> Compiled {
    let (_, records, plan) = try plan(graph, options: options, reuse: reuse)
    let code = try EmitC.emit(plan, templates: templates, version: spdcVersion)
    return Compiled(graph: graph, plan: plan, records: records, code: code)
  }

  package func plan(
    _ graph: Graph, options: Pipeline.Options, reuse: Bool = true
  ) throws -> (lowered: Graph, records: [Pipeline.Record], plan: Plan) {
    let (lowered, records) = try Pipeline.run(graph, options: options)
    let plan = try PlanMemory.plan(
      lowered, prefix: Self.prefix(graph.name, options.mode), target: target, kernels: options.kernels,
      mode: options.mode, maxTargets: options.maxTargets, updatesInBackward: options.updatesInBackward,
      reuse: reuse)
    return (lowered, records, plan)
  }

  /// What symbols start with: the network's name as an identifier, so that both its modules fit into one program.
  package static func prefix(_ name: String, _ mode: Mode = .inference) -> String {
    String(name.map { $0 == "-" ? "_" : $0 }) + (mode == .training ? "_train" : "")
  }

  package static let fastFlags = ["-std=c17", "-O3", "-ffp-contract=fast", "-fno-math-errno"]

  /// Compiles to a shared library in the cache, if it is not there, and loads it.
  package func load(_ compiled: Compiled, quiet: Bool = false) async throws -> Network {
    try compiled.requireMemory()
    return try Network(library: try await library(compiled, quiet: quiet), prefix: compiled.prefix)
  }

  /// The same for a training module.
  package func loadTrainable(_ compiled: Compiled, quiet: Bool = false) async throws -> TrainableNetwork {
    try compiled.requireMemory()
    return try TrainableNetwork(library: try await library(compiled, quiet: quiet), prefix: compiled.prefix)
  }

  package func library(_ compiled: Compiled, quiet: Bool = false) async throws -> String {
    try await library(
      source: compiled.code.source, header: (compiled.prefix + ".h", compiled.code.header), name: compiled.prefix,
      quiet: quiet)
  }

  /// Path of the shared library of a source text, built if the cache does not have it.
  package func library(
    source: String, header: (name: String, text: String)? = nil, name: String, quiet: Bool = false
  ) async throws -> String {
    try Machine.prepareOpenMP()
    guard Machine.runs(target) else {
      throw Failure(.usage, "code for \(target.name) does not run on this machine; `spdc compile --emit c` writes it")
    }
    let toolchain = try await Toolchain.find()
    let key = key(source + (header?.text ?? "") + toolchain.compiler, toolchain)
    let folder = try Files.cache("modules").appendingPathComponent(String(key, radix: 16))
    let library = folder.appendingPathComponent(name + ".so")
    if FileManager.default.fileExists(atPath: library.path) { return library.path }
    try await Files.hintingAtCache {
      try await Files.withTemporaryFolder(beside: folder) { temporary in
        let path = temporary.appendingPathComponent(name + ".c").path
        try Files.write(source, to: path)
        if let header { try Files.write(header.text, to: temporary.appendingPathComponent(header.name).path) }
        try await cc(
          toolchain, [path, "-shared", "-fPIC", "-o", temporary.appendingPathComponent(name + ".so").path],
          quiet: quiet)
        // Another process may have been faster; its result is the same.
        if rename(temporary.path, folder.path) != 0, !FileManager.default.fileExists(atPath: library.path) {
          throw Failure(.cannotWrite, "\(folder.path): \(String(cString: strerror(errno)))")
        }
      }
    }
    return library.path
  }

  /// Tells machine code of a source text from others.
  private func key(_ source: String, _ toolchain: Toolchain) -> UInt64 {
    let key =
      source + toolchain.version
      + (toolchain.words + Self.fastFlags + target.flags + toolchain.openMPFlags).joined(separator: " ")
      + (target.name == "native" ? Machine.processorName : "")
    return fnv1a(key.utf8)
  }

  package func key(_ compiled: Compiled) async throws -> UInt64 {
    key(compiled.code.source, try await Toolchain.find())
  }

  /// Runs the C compiler with the flags for speed.
  package func cc(_ toolchain: Toolchain, _ arguments: [String], quiet: Bool = false) async throws {
    let name = URL(fileURLWithPath: toolchain.compiler).lastPathComponent
    let flags = Self.fastFlags + target.flags + toolchain.openMPFlags
    let run = { try await Toolchain.run(toolchain.compiler, toolchain.words + flags + arguments) }
    let outcome =
      quiet ? try await run() : try await Progress("\(name) \(flags.joined(separator: " "))").during(run)
    guard outcome.succeeded else {
      let output = arguments.firstIndex(of: "-o").map { arguments[$0 + 1] } ?? "."
      if let failure = Files.writeFailure(outcome, writingTo: URL(fileURLWithPath: output).deletingLastPathComponent()) {
        throw failure
      }
      throw Failure(.software, "\(toolchain.compiler) does not compile what spdc wrote:\n" + outcome.errors)
    }
  }
}

extension Builder {
  /// A network ready to run: model, weights, code, session.
  package struct Ready {
    package var weighted: Weighted
    package var compiled: Compiled
    package var network: Network
    package var packed: PackedWeights
  }

  package func ready(_ weighted: Weighted, options: Pipeline.Options, quiet: Bool = false) async throws -> Ready {
    let compiled = try compile(weighted.graph, options: options)
    let network = try await load(compiled, quiet: quiet)
    let packed = try network.pack(try weighted.weights.file(for: weighted.graph))
    return Ready(weighted: weighted, compiled: compiled, network: network, packed: packed)
  }
}

extension Builder.Compiled {
  /// Makes sure that this machine has the memory that running the network takes.
  fileprivate func requireMemory() throws {
    let float = MemoryLayout<Float>.size
    var parts = [("arena", plan.arenaBytes(threads: 1)), ("packed weights", plan.packedCount * float)]
    // Of training, values and momentum at least.
    if let state = plan.state { parts.append(("state", 2 * state.count * float)) }
    let outputs = graph.outputs.reduce(0) { $0 + graph.shape(of: $1).count }
    parts.append(("input and output", (graph.input.shape.count + outputs) * float))
    let batch = graph.input.shape.batch
    try MemoryBudget.require(parts, for: "\(graph.name) for \(grouped(batch)) image\(batch == 1 ? "" : "s")")
  }
}
