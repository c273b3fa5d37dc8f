import Foundation
import SPD
import SPDCompiler
import SPDRuntime
import SPDTemplates

package let spdcVersion = "0.1.0"

/// Compiles a graph to C, and C to a loaded network.
package struct Builder {
  package var templates: Templates
  package var target: Target

  package init(target name: String) throws {
    templates = Templates(try SPDTemplates.load())
    target = try Machine.target(named: name)
  }

  /// A compiled graph: its plan, pass records and code.
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

  /// Compiles a graph to C.
  ///
  /// - Parameter reuse: false disables buffer reuse, so that every intermediate result can be inspected.
  package func compile(_ graph: Graph, options: Pipeline.Options, reuse: Bool = true) throws -> Compiled {
    let (_, records, plan) = try plan(graph, options: options, reuse: reuse)
    let code = try EmitC.emit(plan, templates: templates, version: spdcVersion)
    return Compiled(graph: graph, plan: plan, records: records, code: code)
  }

  package func plan(
    _ graph: Graph, options: Pipeline.Options, reuse: Bool = true
  ) throws -> (lowered: Graph, records: [Pipeline.Record], plan: Plan) {
    let (lowered, records) = try Pipeline.run(graph, options: options)
    let plan = try LowerToPlan.plan(
      lowered, prefix: Self.prefix(graph.name, options.mode), target: target, kernels: options.kernels,
      mode: options.mode, maxTargets: options.maxTargets, updatesInBackward: options.updatesInBackward,
      reuse: reuse)
    return (lowered, records, plan)
  }

  /// Returns the prefix of all symbols: the network's name as an identifier, with a suffix for training, so that both
  /// modules can be linked into one program.
  package static func prefix(_ name: String, _ mode: Mode = .inference) -> String {
    String(name.map { $0 == "-" ? "_" : $0 }) + (mode == .training ? "_train" : "")
  }

  package static let fastFlags = ["-std=c17", "-O3", "-ffp-contract=fast", "-fno-math-errno"]

  /// Loads the shared library of an inference module, built unless it is in the cache.
  package func load(_ compiled: Compiled, quiet: Bool = false) async throws -> Network {
    try compiled.requireMemory()
    return try Network(library: try await library(compiled, quiet: quiet), prefix: compiled.prefix)
  }

  /// Loads the shared library of a training module, built unless it is in the cache.
  package func loadTrainable(_ compiled: Compiled, quiet: Bool = false) async throws -> TrainableNetwork {
    try compiled.requireMemory()
    return try TrainableNetwork(library: try await library(compiled, quiet: quiet), prefix: compiled.prefix)
  }

  package func library(_ compiled: Compiled, quiet: Bool = false) async throws -> String {
    try await library(
      source: compiled.code.source, header: (compiled.prefix + ".h", compiled.code.header), name: compiled.prefix,
      quiet: quiet)
  }

  /// Returns the path of the shared library of a source text, built unless it is in the cache.
  package func library(
    source: String, header: (name: String, text: String)? = nil, name: String, quiet: Bool = false
  ) async throws -> String {
    try Machine.prepareOpenMP()
    guard Machine.runs(target) else {
      throw Failure(.usage, "this machine cannot run code for \(target.name); `spdc compile --emit c` writes the C")
    }
    let toolchain = try await Toolchain.find()
    let key = key(source, header, toolchain)
    return try await ObjectCache("modules").file(name + ".so", key) { folder in
      let object = try await self.object(source: source, header: header, name: name, toolchain, quiet: quiet)
      let library = folder.appendingPathComponent(name + ".so").path
      try await cc(toolchain, [object, "-shared", "-o", library], quiet: quiet)
    }.path
  }

  /// Returns the path of the position-independent object of a source text, built unless it is in the cache.
  package func object(
    source: String, header: (name: String, text: String)? = nil, name: String, _ toolchain: Toolchain,
    quiet: Bool = false
  ) async throws -> String {
    try await ObjectCache("objects").file(name + ".o", key(source, header, toolchain)) { folder in
      let texts = [(name: name + ".c", text: source)] + [header].compactMap { $0 }
      for (name, text) in texts { try Files.write(text, to: folder.appendingPathComponent(name).path) }
      let paths = [name + ".c", name + ".o"].map { folder.appendingPathComponent($0).path }
      try await cc(toolchain, ["-fPIC", "-c", paths[0], "-o", paths[1]], quiet: quiet)
      for (name, _) in texts { try FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }
    }.path
  }

  /// Identifies the machine code of a source text.
  private func key(
    _ source: String, _ header: (name: String, text: String)?, _ toolchain: Toolchain
  ) -> ObjectCache.Key {
    var key = ObjectCache.Key(source, header?.name ?? "", header?.text ?? "", toolchain.identity)
    key.add(flags(toolchain))
    key.add(target.name == "native" ? Machine.identity : "")
    return key
  }

  package func key(_ compiled: Compiled) async throws -> UInt64 {
    fnv1a(key(compiled.code.source, nil, try await Toolchain.find()).name.utf8)
  }

  /// The flags of the C compiler: optimisation, target, OpenMP, and last the user's.
  private func flags(_ toolchain: Toolchain) -> [String] {
    Self.fastFlags + target.flags + toolchain.openMPFlags + Self.userFlags
  }

  /// Extra flags from `SPDC_CFLAGS`, such as `-g`.
  private static let userFlags = (ProcessInfo.processInfo.environment["SPDC_CFLAGS"] ?? "").split(separator: " ")
    .map(String.init)

  /// Runs the C compiler.
  package func cc(_ toolchain: Toolchain, _ arguments: [String], quiet: Bool = false) async throws {
    let name = URL(fileURLWithPath: toolchain.compiler).lastPathComponent
    let flags = flags(toolchain)
    let run = {
      await Turnstile.compilers.enter()
      do {
        let outcome = try await Toolchain.run(toolchain.compiler, toolchain.words + flags + arguments)
        await Turnstile.compilers.leave()
        return outcome
      } catch {
        await Turnstile.compilers.leave()
        throw error
      }
    }
    let outcome =
      quiet ? try await run() : try await Progress("\(name) \(flags.joined(separator: " "))").during(run)
    guard outcome.succeeded else {
      let output = arguments.firstIndex(of: "-o").map { arguments[$0 + 1] } ?? "."
      if let failure = Files.writeFailure(outcome, writingTo: URL(fileURLWithPath: output).deletingLastPathComponent())
      {
        throw failure
      }
      throw Failure(
        .software, "internal error: \(toolchain.compiler) cannot compile the generated code:\n" + outcome.errors)
    }
  }
}

extension Builder {
  /// A network ready to run: weights, code, loaded module and packed weights.
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
  /// Checks that this machine has enough memory to run the network.
  fileprivate func requireMemory() throws {
    let float = MemoryLayout<Float>.size
    var parts: [(what: String, bytes: Int)] = [("arena", plan.arenaBytes(threads: 1))]
    if let state = plan.state {
      // Values and momentum at least. Weights are packed within the arena.
      parts.append(("state", 2 * state.count * float))
    } else {
      parts.append(("packed weights", plan.packedCount * float))
    }
    let outputs = graph.outputs.reduce(0) { $0 + graph.shape(of: $1).count }
    parts.append(("input and output", (graph.input.shape.count + outputs) * float))
    let batch = graph.input.shape.batch
    try MemoryBudget.require(
      parts, for: "\(graph.name) for \(grouped(batch)) image\(batch == 1 ? "" : "s")", batch: batch,
      shared: ["state", "packed weights"])
  }
}
