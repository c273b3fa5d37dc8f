/// The facts in a PyTorch checkpoint beside the weights: class names and count, epoch and other scalars.
struct TorchFacts {
  let root: PickleValue
  /// The record of the pickled module, if there is one.
  let module: Int?
  let heap: PickleHeap

  /// More classes than any network has; a longer list would be hostile.
  private static let maximumClasses = 1_000_000
  private static let maximumFacts = 64
  private static let maximumText = 1024

  var classNames: [String]? {
    for source in sources("names") {
      if let names = names(in: source), !names.isEmpty { return names }
    }
    return nil
  }

  var classes: Int? {
    for case .int(let count) in sources("nc") where (1...Self.maximumClasses).contains(count) { return count }
    return classNames?.count
  }

  /// Scalars of the outermost dict, and the class of the module.
  var metadata: [String: String] {
    var facts: [String: String] = [:]
    if let module {
      facts["model_class"] = String(heap.globals[heap.records[module].type].text.prefix(Self.maximumText))
    }
    for (name, value) in heap.dictionary(root)?.named.prefix(Self.maximumFacts) ?? [] {
      guard name.utf8.count <= Self.maximumText else { continue }
      switch value {
      case .int(let number): facts[name] = String(number)
      case .float(let number): facts[name] = String(number)
      case .bool(let flag): facts[name] = String(flag)
      case .string(let text) where text.utf8.count <= Self.maximumText: facts[name] = text
      default: break
      }
    }
    return facts
  }

  /// The places where a fact may be stored: the module, the module that DataParallel wraps, or the dict beside them.
  private func sources(_ name: String) -> [PickleValue] {
    var found: [PickleValue?] = []
    if let module {
      found.append(heap.attribute(name, of: module))
      if let children = heap.attribute("_modules", of: module), let children = heap.dictionary(children),
        case .record(let inner)? = children["module"]
      {
        found.append(heap.attribute(name, of: inner))
      }
      if let yaml = heap.attribute("yaml", of: module) { found.append(heap.dictionary(yaml)?[name]) }
    }
    found.append(heap.dictionary(root)?[name])
    return found.compactMap { $0 }
  }

  /// Whether a text is short: many references to one long text would expand to huge memory.
  private func isUsual(_ name: String) -> Bool { name.utf8.count <= Self.maximumText }

  /// Names from a list, or from a dict of class index to name with every index from 0.
  private func names(in value: PickleValue) -> [String]? {
    if let list = heap.sequence(value) {
      guard list.count <= Self.maximumClasses else { return nil }
      let names = list.compactMap { if case .string(let name) = $0, isUsual(name) { name } else { nil } }
      return names.count == list.count ? names : nil
    }
    guard let dictionary = heap.dictionary(value), dictionary.count <= Self.maximumClasses else { return nil }
    var names = [String?](repeating: nil, count: dictionary.count)
    for (key, value) in zip(dictionary.keys, dictionary.values) {
      guard case .int(let index) = key, names.indices.contains(index), case .string(let name) = value,
        isUsual(name)
      else {
        return nil
      }
      names[index] = name
    }
    return names.compactMap { $0 }
  }
}
