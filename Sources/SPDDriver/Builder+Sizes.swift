extension Builder {
  /// Loads the modules of a network compiled for several input sizes: as many C compilers at a time as the machine has
  /// processors, with progress if there are several modules.
  ///
  /// - Parameters:
  ///   - title: what is compiled: "training steps".
  ///   - load: `load` or `loadTrainable`.
  package func loadAll<Module: Sendable>(
    _ compiled: [Compiled], _ title: String,
    by load: @escaping @Sendable (_ compiled: Compiled, _ quiet: Bool) async throws -> Module
  ) async throws -> [Module] {
    if compiled.count == 1 { return [try await load(compiled[0], false)] }
    let progress = Progress("compiling \(title) for \(compiled.count) input sizes", total: compiled.count)
    defer { progress.finish() }
    return try await withThrowingTaskGroup(of: (Int, Module).self) { group in
      for (index, each) in compiled.enumerated() { group.addTask { (index, try await load(each, true)) } }
      var modules: [Int: Module] = [:]
      for try await (index, module) in group {
        modules[index] = module
        progress.update(modules.count)
      }
      return compiled.indices.map { modules[$0]! }
    }
  }
}
