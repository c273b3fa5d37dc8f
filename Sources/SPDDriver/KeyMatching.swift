import SPDFormats

/// Maps the keys of a weight file to parameter names if they differ by a prefix or by the words of PyTorch's wrappers.
///
/// PyTorch Lightning writes `model.conv1.weight`, DataParallel `module.…`, torch.compile `_orig_mod.…`, and an enclosing
/// module the name of its attribute. A submodule saved on its own lacks the prefix of the full network.
struct KeyMatching {
  /// Prefix removed from the file's keys.
  var stripped = ""
  /// Prefix added to the file's keys.
  var added = ""
  /// Whether words of PyTorch's wrappers are removed from within the keys.
  var leavesOutWrappers = false

  var isIdentity: Bool { stripped.isEmpty && added.isEmpty && !leavesOutWrappers }

  /// Text for the report, such as "key prefix model. removed".
  var summary: String {
    var parts: [String] = []
    if !stripped.isEmpty { parts.append("key prefix \(stripped) removed") }
    if !added.isEmpty { parts.append("key prefix \(added) added") }
    if leavesOutWrappers { parts.append("wrapper names removed from keys") }
    return parts.joined(separator: ", ")
  }

  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]

  /// Returns the parameter name of a key; nil for a key without the prefix.
  func name(_ key: String) -> String? {
    var rest = key
    if leavesOutWrappers { rest = Self.unwrapped(key) }
    guard rest.hasPrefix(stripped) else { return nil }
    rest.removeFirst(stripped.count)
    return rest.isEmpty ? nil : added + rest
  }

  private static func unwrapped(_ key: String) -> String {
    key.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains($0) }.joined(separator: ".")
  }

  // MARK: - finding it

  /// Returns the mapping that finds most of a network's names, or the identity if no other finds more.
  ///
  /// - Parameters:
  ///   - keys: keys of the file.
  ///   - names: names of the required parameters.
  /// - Throws: `Ambiguity` if several prefixes find all of them.
  static func best(_ keys: [String], for names: [String]) throws -> KeyMatching {
    let wanted = Set(names)
    func found(_ matching: KeyMatching) -> Int { Set(keys.compactMap(matching.name)).intersection(wanted).count }
    var best = KeyMatching()
    var most = found(best)
    guard most < wanted.count else { return best }
    for leavesOutWrappers in [false, true] {
      let spelled = leavesOutWrappers ? keys.map(unwrapped) : keys
      if leavesOutWrappers, spelled == keys { continue }
      let counted = candidates(spelled, names).map { candidate in
        var candidate = candidate
        candidate.leavesOutWrappers = leavesOutWrappers
        return (candidate, count: found(candidate))
      }
      let whole = counted.filter { $0.count == wanted.count }.map { $0.0.stripped }
      if whole.count > 1 { throw Ambiguity(prefixes: whole) }
      for (candidate, count) in counted where count > most { (best, most) = (candidate, count) }
      if most == wanted.count { return best }
    }
    // A few matches are coincidence, and the unchanged keys give a better message.
    return 2 * most >= wanted.count ? best : KeyMatching()
  }

  /// Returns mappings with the prefixes by which keys and names differ, in the order of the file.
  private static func candidates(_ keys: [String], _ names: [String]) -> [KeyMatching] {
    guard let first = names.first, let last = names.last else { return [] }
    var candidates = [KeyMatching()]
    func add(_ candidate: KeyMatching) {
      let isKnown = candidates.contains { $0.stripped == candidate.stripped && $0.added == candidate.added }
      if !isKnown, candidates.count < maximumCandidates { candidates.append(candidate) }
    }
    // Try two names: the file may lack the first or the last parameter, such as the head.
    for name in [first, last] {
      for key in keys where key.hasSuffix("." + name) { add(KeyMatching(stripped: String(key.dropLast(name.count)))) }
      let known = Set(keys)
      var rest = name[...]
      while let dot = rest.firstIndex(of: ".") {
        rest = rest[rest.index(after: dot)...]
        if known.contains(String(rest)) { add(KeyMatching(added: String(name.dropLast(rest.count)))) }
      }
    }
    return candidates
  }

  /// Bounds the search in a file that repeats one key under many prefixes.
  private static let maximumCandidates = 64

  /// Thrown when several prefixes match, such as a student's and a teacher's.
  struct Ambiguity: Error {
    var prefixes: [String]
  }
}

extension Checkpoint {
  /// Returns the checkpoint with keys replaced by parameter names.
  ///
  /// - Returns: nil if two keys map to one name.
  func renamed(_ matching: KeyMatching) -> Checkpoint? {
    var result = self
    result.tensors = [:]
    result.order = []
    var others: [String] = []
    for key in order {
      guard let tensor = tensors[key] else { continue }
      guard let name = matching.name(key) else {
        others.append(key)
        continue
      }
      guard result.tensors.updateValue(tensor, forKey: name) == nil else { return nil }
      result.order.append(name)
    }
    // Other keys keep their names, to be reported as unused.
    for key in others where result.tensors[key] == nil {
      result.tensors[key] = tensors[key]
      result.order.append(key)
    }
    return result
  }
}
