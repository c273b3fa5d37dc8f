/// Finds the tensors of a pickled torch module, as its `state_dict()` would name and order them.
struct ModuleTree {
  let heap: PickleHeap
  let path: String
  /// What was found, in order.
  private(set) var tensors: [(name: String, value: PickleValue)] = []
  private var visits = 0

  /// Limits that no network reaches: modules may contain each other in a hostile file.
  private static let maximumDepth = 100
  private static let maximumVisits = 100_000
  private static let maximumName = 1024

  init(heap: PickleHeap, path: String) {
    self.heap = heap
    self.path = path
  }

  /// Whether a record is a torch module.
  static func isModule(_ record: Int, in heap: PickleHeap) -> Bool {
    heap.attribute("_modules", of: record) != nil || heap.attribute("_parameters", of: record) != nil
  }

  /// Adds the tensors of a module and of the modules below it.
  mutating func walk(_ record: Int, prefix: String = "", depth: Int = 0) throws {
    visits += 1
    guard depth <= Self.maximumDepth, visits <= Self.maximumVisits, prefix.utf8.count <= Self.maximumName else {
      throw FormatError(
        path: path, problem: "the pickled modules are nested without end", location: "module \(quoted(prefix))")
    }
    for (name, value) in entries("_parameters", of: record) { try add(prefix + name, value) }
    let hidden = nonPersistentBuffers(of: record)
    for (name, value) in entries("_buffers", of: record) where !hidden.contains(name) { try add(prefix + name, value) }
    for (name, value) in entries("_modules", of: record) {
      if case .record(let child) = value { try walk(child, prefix: "\(prefix)\(name).", depth: depth + 1) }
    }
  }

  private mutating func add(_ name: String, _ value: PickleValue) throws {
    guard case .tensor = value else { return }  // None: a layer without bias
    guard tensors.count < Self.maximumVisits * 10, name.utf8.count <= Self.maximumName else {
      throw FormatError(path: path, problem: "the pickled modules hold tensors without end")
    }
    tensors.append((name, value))
  }

  private func entries(_ attribute: String, of record: Int) -> [(name: String, value: PickleValue)] {
    guard let value = heap.attribute(attribute, of: record), let entries = heap.dictionary(value) else { return [] }
    return entries.named
  }

  /// Buffers that `state_dict()` leaves out.
  private func nonPersistentBuffers(of record: Int) -> Set<String> {
    guard let value = heap.attribute("_non_persistent_buffers_set", of: record), let names = heap.sequence(value) else {
      return []
    }
    return Set(names.compactMap { if case .string(let name) = $0 { name } else { nil } })
  }
}

extension PickleDictionary {
  /// The entries whose keys are text, in order.
  var named: [(name: String, value: PickleValue)] {
    zip(keys, values).compactMap { key, value in
      if case .string(let name) = key { (name, value) } else { nil }
    }
  }
}
