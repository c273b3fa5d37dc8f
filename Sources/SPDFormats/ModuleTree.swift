/// Finds the tensors of a pickled torch module, named and ordered as by its `state_dict()`.
///
/// Modules may refer to each other arbitrarily, and a small file can describe a graph with exponentially many paths. So
/// the work is bounded by the length of the pickle.
struct ModuleTree {
  let heap: PickleHeap
  let path: String
  /// The tensors found, in order.
  private(set) var tensors: [(name: String, value: PickleValue)] = []
  /// Number of entries that may still be visited.
  private var workLeft: Int

  /// Limit that no real network reaches.
  private static let maximumDepth = 100
  private static let maximumName = 1024
  /// Allowance for networks that share modules, in addition to one entry per byte of the pickle.
  private static let freeWork = 50_000

  /// - Parameter size: size of the pickle in bytes.
  init(heap: PickleHeap, path: String, size: Int) {
    self.heap = heap
    self.path = path
    workLeft = Self.freeWork + size
  }

  /// Whether a record is a torch module.
  static func isModule(_ record: Int, in heap: PickleHeap) -> Bool {
    heap.attribute("_modules", of: record) != nil || heap.attribute("_parameters", of: record) != nil
  }

  /// Adds the tensors of a module and of its submodules.
  mutating func walk(_ record: Int, prefix: String = "", depth: Int = 0) throws {
    guard depth <= Self.maximumDepth, prefix.utf8.count <= Self.maximumName else { throw endless(prefix) }
    // Each attribute is looked up in all states.
    try spend(1 + heap.records[record].states.count, prefix)
    for (name, value) in try entries("_parameters", of: record, prefix) { try add(name, value, prefix) }
    let hidden = try nonPersistentBuffers(of: record, prefix)
    for (name, value) in try entries("_buffers", of: record, prefix) where !hidden.contains(name) {
      try add(name, value, prefix)
    }
    for (name, value) in try entries("_modules", of: record, prefix) {
      guard case .record(let child) = value else { continue }
      try check(name, prefix)
      try walk(child, prefix: "\(prefix)\(name).", depth: depth + 1)
    }
  }

  private mutating func add(_ name: String, _ value: PickleValue, _ prefix: String) throws {
    guard case .tensor = value else { return }  // None: a layer without bias
    try check(name, prefix)
    tensors.append((prefix + name, value))
  }

  private func check(_ name: String, _ prefix: String) throws {
    guard name.utf8.count <= Self.maximumName else { throw endless(prefix) }
  }

  private mutating func spend(_ work: Int, _ prefix: String) throws {
    workLeft -= work
    if workLeft < 0 { throw endless(prefix) }
  }

  private func endless(_ prefix: String) -> FormatError {
    FormatError(
      path: path, problem: "the pickled modules are nested without end", location: "module \(quoted(prefix))",
      remedy: "Save the state dict alone: torch.save(model.state_dict(), …)")
  }

  private mutating func entries(
    _ attribute: String, of record: Int, _ prefix: String
  ) throws -> [(name: String, value: PickleValue)] {
    guard let value = heap.attribute(attribute, of: record), let entries = heap.dictionary(value) else { return [] }
    try spend(entries.count, prefix)
    return entries.named
  }

  /// Names of the buffers that `state_dict()` leaves out.
  private mutating func nonPersistentBuffers(of record: Int, _ prefix: String) throws -> Set<String> {
    guard let value = heap.attribute("_non_persistent_buffers_set", of: record), let names = heap.sequence(value) else {
      return []
    }
    try spend(names.count, prefix)
    return Set(
      names.compactMap { if case .string(let name) = $0, name.utf8.count <= Self.maximumName { name } else { nil } })
  }
}

extension PickleDictionary {
  /// The entries with text keys, in order.
  var named: [(name: String, value: PickleValue)] {
    zip(keys, values).compactMap { key, value in
      if case .string(let name) = key { (name, value) } else { nil }
    }
  }
}
