import SPDFormats

/// Keys of a weight file as a network calls them, where a program has put something before or into all of them.
///
/// PyTorch Lightning writes `model.conv1.weight`, DataParallel `module.…`, torch.compile `_orig_mod.…`, a class around the
/// network the name of its property; a part of the network that was saved by itself lacks what the whole has before it.
struct KeyMatching {
  /// What all matching keys of the file begin with, and the network's do not.
  var stripped = ""
  /// What the network's parameters begin with, and the file's keys do not.
  var added = ""
  /// Words within the keys that wrappers of PyTorch have left.
  var leavesOutWrappers = false

  var isIdentity: Bool { stripped.isEmpty && added.isEmpty && !leavesOutWrappers }

  /// For the report, such as "without the prefix model. of its keys".
  var summary: String {
    var parts: [String] = []
    if !stripped.isEmpty { parts.append("without the prefix \(stripped) of its keys") }
    if !added.isEmpty { parts.append("with the prefix \(added) before its keys") }
    if leavesOutWrappers { parts.append("without the wrappers’ words in its keys") }
    return parts.joined(separator: ", ")
  }

  private static let wrappers: Set<Substring> = [
    "module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module",
  ]

  /// The network's name of a key; nil for one that belongs to something else.
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

  /// What brings the most of a network's names to light; the keys as they are where nothing finds more.
  ///
  /// - Parameters:
  ///   - keys: the file's.
  ///   - names: of the parameters that the network must find.
  /// - Throws: `Ambiguity` where several prefixes bring all of them.
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
    // A few names in common are chance, and the keys as they are make the better message.
    return 2 * most >= wanted.count ? best : KeyMatching()
  }

  /// Prefixes that make a key out of a name, or a name out of a key, in the order of the file.
  private static func candidates(_ keys: [String], _ names: [String]) -> [KeyMatching] {
    guard let first = names.first, let last = names.last else { return [] }
    var candidates = [KeyMatching()]
    func add(_ candidate: KeyMatching) {
      let isKnown = candidates.contains { $0.stripped == candidate.stripped && $0.added == candidate.added }
      if !isKnown, candidates.count < maximumCandidates { candidates.append(candidate) }
    }
    // The first or the last parameter may be what the file lacks, such as another head.
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

  /// A file that repeats one key under many prefixes must not keep us long.
  private static let maximumCandidates = 64

  /// Several parts of a file fit, such as a student and a teacher.
  struct Ambiguity: Error {
    var prefixes: [String]
  }
}

extension Checkpoint {
  /// The same under the network's names.
  ///
  /// - Returns: nil where two keys would get one name.
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
    // What belongs to something else stays, under its own name, to be named as unused.
    for key in others where result.tensors[key] == nil {
      result.tensors[key] = tensors[key]
      result.order.append(key)
    }
    return result
  }
}
