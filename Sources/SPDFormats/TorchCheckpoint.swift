/// Extracts the weights from a PyTorch checkpoint: a state dict, a pickled module, or a dict that contains either.
func parseTorch(_ torch: TorchArchive) throws -> Checkpoint {
  let (root, heap, pickleSize) = try torch.unpickled()
  let path = torch.archive.path
  guard let source = WeightSource.find(in: root, heap) else { throw noWeights(root, heap, path) }

  var checkpoint = Checkpoint()
  var limit = ExpansionLimit(fileSize: torch.archive.fileSize)
  var sizes: [(ElementType, Int)] = []
  for (name, value) in try source.tensors(heap, path: path, pickleSize: pickleSize) {
    let tensor: HostTensor
    switch value {
    case .tensor(let index):
      let pickled = heap.tensors[index]
      tensor = try torch.tensor(pickled, of: heap, named: name, limit: &limit)
      if let type = TorchArchive.elementType(of: pickled, in: heap) { sizes.append((type, tensor.values.count)) }
    default:
      guard let array = NumpyRecord(value, heap) else { continue }
      let converted = try array.tensor(named: name, path: path, limit: &limit)
      tensor = converted
      sizes.append((array.type, converted.values.count))
    }
    guard checkpoint.tensors.updateValue(tensor, forKey: name) == nil else {
      throw sameName(name, path: path)
    }
    checkpoint.order.append(name)
  }
  checkpoint.origin = "\(source.label), \(precisionLabel(sizes))"
  let facts = TorchFacts(root: root, module: source.module, heap: heap)
  checkpoint.classNames = facts.classNames
  checkpoint.classes = facts.classes
  checkpoint.metadata = facts.metadata
  return checkpoint
}

private func noWeights(_ root: PickleValue, _ heap: PickleHeap, _ path: String) -> FormatError {
  var found = "the pickle holds no dict and no torch module"
  if let dictionary = heap.dictionary(root) {
    let names = dictionary.named.prefix(12).map { quoted($0.name, limit: 40) }
    found = "the dict has " + (names.isEmpty ? "no named entries" : "the keys " + names.joined(separator: ", "))
  }
  return FormatError(
    path: path, problem: "holds no weights: \(found)", location: "data.pkl",
    remedy: "Save a state dict or a module, alone or under ema, model, state_dict, model_state_dict or net")
}

/// The part of a checkpoint that contains the weights.
private struct WeightSource {
  enum Kind {
    case module(Int)
    case stateDict(PickleDictionary)
  }

  let kind: Kind
  /// "ema", "model", "module" or "state dict".
  let label: String

  /// The record of the module, if the weights are in one.
  var module: Int? { if case .module(let record) = kind { record } else { nil } }

  /// Keys in order of preference: training frameworks keep the EMA weights, which are the better ones, under `ema`.
  private static let containers = ["ema", "model", "state_dict", "model_state_dict", "net"]

  static func find(in value: PickleValue, _ heap: PickleHeap, key: String? = nil, depth: Int = 0) -> WeightSource? {
    guard depth <= 3 else { return nil }
    if case .record(let record) = value, ModuleTree.isModule(record, in: heap) {
      return WeightSource(kind: .module(record), label: key ?? "module")
    }
    guard let dictionary = heap.dictionary(value) else { return nil }
    for container in containers {
      guard let inner = dictionary[container] else { continue }
      if let found = find(in: inner, heap, key: container, depth: depth + 1) { return found }
    }
    guard dictionary.values.contains(where: { isArray($0, heap) }) else { return nil }
    return WeightSource(kind: .stateDict(dictionary), label: key == "ema" ? "ema" : "state dict")
  }

  private static func isArray(_ value: PickleValue, _ heap: PickleHeap) -> Bool {
    if case .tensor = value { true } else { NumpyRecord(value, heap) != nil }
  }

  func tensors(
    _ heap: PickleHeap, path: String, pickleSize: Int
  ) throws -> [(name: String, value: PickleValue)] {
    switch kind {
    case .stateDict(let dictionary): return dictionary.named
    case .module(let record):
      var tree = ModuleTree(heap: heap, path: path, size: pickleSize)
      try tree.walk(record)
      guard !tree.tensors.isEmpty else {
        throw FormatError(path: path, problem: "the pickled module has no parameters", location: "data.pkl")
      }
      return tree.tensors
    }
  }
}
