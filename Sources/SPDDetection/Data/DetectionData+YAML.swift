import Foundation
import SPDData
import SPDFormats
internal import Yams

/// Larger than any `data.yaml` with names for ``maximumClasses`` classes.
private let yamlLimit = 8 << 20
/// A wrong `nc` must not allocate memory without bound.
let maximumClasses = 65_536

extension DetectionData {
  /// Reads `data.yaml` as YOLOv5 has it: `path`, `train`, `val`, `test`, `nc`, `names`; others are noted and ignored.
  init(yamlFile path: String, images: String?) throws(DataError) {
    let text = try readText(path)
    try self.init(yaml: text, path: path, images: images)
  }

  /// - Parameter path: the file, for messages and for the paths in it.
  init(yaml: String, path: String, images: String? = nil) throws(DataError) {
    var root = Paths.folder(of: path)
    var names: [String]?
    var count: Int?
    var sources: [Split: [String]] = [:]
    var notes: [String] = []
    for (key, node) in try mapping(yaml, path) {
      func refuse(_ what: String, _ remedy: String) -> DataError {
        DataError(path: "\(path):\(node.mark?.line ?? 1)", what: what, remedy: remedy)
      }
      switch key {
      case "path":
        guard let text = node.string else { throw refuse("`path` is not a folder's path", "write `path: ../coco`") }
        if text.isEmpty || text == "~" { continue }
        // YOLOv5 users write it relative to the folder that they start from.
        let tried = [Paths.joined(Paths.folder(of: path), text), text].map(Paths.withoutTrailingSlash)
        root = tried.first { PathKind(of: $0) == .folder } ?? tried[0]
        if PathKind(of: root) != .folder {
          notes.append("`path` names \(text), which is not there; paths are tried from \(path) and the current folder")
        }
      case "train", "val", "test":
        let list = node.sequence.map { Array($0) } ?? [node]
        let texts = list.compactMap(\.string)
        guard texts.count == list.count else {
          throw refuse("`\(key)` is neither a path nor a list of paths", "write `\(key): images/\(key)`")
        }
        // An empty value leaves the split out, as in YOLOv5's own files.
        let paths = texts.filter { !$0.isEmpty && $0 != "~" && $0 != "null" }
        if !paths.isEmpty { sources[Split(rawValue: key)!] = paths }
      case "nc":
        guard let number = node.string.flatMap({ Int($0) }), (1...maximumClasses).contains(number) else {
          throw refuse("`nc` is not a whole number from 1 to \(maximumClasses)", "write the number of classes")
        }
        count = number
      case "names": names = try listedNames(node, refuse)
      case "download": notes.append("`download` is ignored: nothing is fetched from the network")
      default: notes.append("`\(key)` is not used")
      }
    }
    func refuse(_ what: String, _ remedy: String) -> DataError { DataError(path: path, what: what, remedy: remedy) }
    if let names, let count, names.count != count {
      throw refuse("`nc` is \(count), but there are \(names.count) `names`", "make them equal, or remove `nc`")
    }
    guard !sources.isEmpty else {
      throw refuse("names neither `train` nor `val` nor `test`", "add `train: images/train` and `val: images/val`")
    }
    let isAnnotated = sources.values.joined().contains { Paths.hasExtension($0, ["json"]) }
    guard names != nil || count != nil || isAnnotated else {
      throw refuse("has neither `names` nor `nc`", "add `names:` with the classes in the order of their numbers")
    }
    if let names, Set(names).count < names.count {
      notes.append("\(names.count - Set(names).count) of `names` occur more than once")
    }
    self.init(
      path: path, root: root, classNames: names ?? (0..<(count ?? 0)).map { "class \($0)" }, sources: sources,
      images: images, notes: notes.map(printable))
  }
}

/// Reads `names`, a list or a mapping from class numbers. Words such as `no` and `1` are names as they are written.
private func listedNames(
  _ node: Node, _ refuse: (_ what: String, _ remedy: String) -> DataError
) throws(DataError) -> [String] {
  var names: [String] = []
  if let list = node.sequence {
    names = list.compactMap(\.string)
    guard names.count == list.count else { throw refuse("one of `names` is not a word", "write `names: [cat, dog]`") }
  } else if let mapping = node.mapping {
    var byIndex: [Int: String] = [:]
    for (key, value) in mapping {
      guard let index = key.string.flatMap({ Int($0) }), let name = value.string else {
        throw refuse("`names` has an entry that is not `number: word`", "write `0: cat`, `1: dog` and so on")
      }
      guard byIndex.updateValue(name, forKey: index) == nil else {
        throw refuse("`names` has the number \(index) twice", "give every class its own number")
      }
    }
    for index in 0..<byIndex.count {
      guard let name = byIndex[index] else {
        throw refuse("`names` has no class \(index)", "number the \(byIndex.count) classes from 0 without gaps")
      }
      names.append(name)
    }
  } else {
    throw refuse("`names` is neither a list nor a mapping", "write `names: [cat, dog]`")
  }
  guard (1...maximumClasses).contains(names.count) else {
    throw refuse("there are \(names.count) `names`", "give 1 to \(maximumClasses)")
  }
  return names
}

private func mapping(_ text: String, _ path: String) throws(DataError) -> [(key: String, value: Node)] {
  func refuse(_ line: Int, _ what: String) -> DataError {
    DataError(path: "\(path):\(line)", what: what, remedy: "write `train:`, `val:` and `names:`, one on each line")
  }
  if let line = YAMLAliases.lineOfExcess(in: text) { throw refuse(line, "has too many aliases") }
  let root: Node?
  do {
    root = try Yams.compose(yaml: text)
  } catch let error as YamlError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      throw refuse(mark.line, "is not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      throw refuse(context.mark.line, "\(keys.map { "`\($0)`" }.joined(separator: ", ")) occurs twice")
    default: throw refuse(1, "is not YAML")
    }
  } catch {
    throw refuse(1, "is not YAML")
  }
  guard let pairs = root?.mapping else { throw refuse(1, "is not a mapping of keys to values") }
  var result: [(key: String, value: Node)] = []
  for (key, value) in pairs {
    guard let word = key.string else { throw refuse(key.mark?.line ?? 1, "a key is not a word") }
    result.append((word, value))
  }
  return result
}

/// Reads a text file in UTF-8.
private func readText(_ path: String) throws(DataError) -> String {
  let bytes = try Paths.bytes(path, limit: yamlLimit)
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw DataError(path: path, what: "is not UTF-8 text", remedy: "save it as UTF-8")
  }
  return text.withoutByteOrderMark
}
