import SPDData
import SPDFormats
internal import Yams

extension DetectionHyperparameters {
  /// Reads a YAML file such as YOLOv5's `hyp.scratch.yaml`. Keys that it lacks keep the value of ``scratch``.
  ///
  /// - Throws: `DataError` with path and line for a file that cannot be read, invalid YAML, an unknown key (with the
  ///   nearest known one), and a value that is not a number within its limits.
  public init(contentsOf path: String) throws(DataError) {
    let bytes: [UInt8]
    do {
      bytes = try readWholeFile(path, limit: 1 << 20)
    } catch let error as FormatError {
      throw DataError(
        path: path, what: error.problem, remedy: error.remedy ?? "name a YAML file of hyperparameters",
        isOfTheMachine: error.isOfTheMachine)
    } catch {
      throw DataError(path: path, what: "cannot be read (\(error))", remedy: "check the path and its permissions")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DataError(path: path, what: "is not UTF-8 text", remedy: "save it as UTF-8")
    }
    try self.init(yaml: text.withoutByteOrderMark, path: path)
  }

  /// Parses a YAML text.
  ///
  /// - Parameter path: path of the file, for messages.
  public init(yaml: String, path: String) throws(DataError) {
    self.init()
    for (key, value) in try Self.entries(yaml, path: path) {
      let name = key.string ?? ""
      func refusal(_ node: Node, _ what: String, remedy: String) -> DataError {
        DataError(path: path, what: "line \(node.mark?.line ?? 1): " + what, remedy: remedy)
      }
      guard let field = Self.fields.first(where: { $0.key == name }) else {
        throw refusal(
          key, "there is no hyperparameter `\(name.prefix(80))`",
          remedy: "did you mean `\(Self.nearestKey(to: name))`?")
      }
      let limits = "\(shortest(field.limits.lowerBound)) to \(shortest(field.limits.upperBound))"
      guard let number = value.string.flatMap({ Double($0) }), field.limits.contains(number) else {
        throw refusal(value, "`\(name)` is not a number from \(limits)", remedy: "write a number from \(limits)")
      }
      if let path = field.path {
        self[keyPath: path] = number
      } else {
        // A search leaves fractions, as in YOLOv5's own hyp.Objects365.yaml, which are rounded there too.
        anchors = Int(number.rounded(.toNearestOrEven))
      }
    }
  }

  /// The values as a YAML file that ``init(contentsOf:)`` reads back unchanged.
  public var yaml: String {
    Self.fields.compactMap { field in self[field.key].map { "\(field.key): \(shortest($0))\n" } }.joined()
  }

  private static func entries(_ yaml: String, path: String) throws(DataError) -> [(Node, Node)] {
    // Composing a deeply nested text would overflow the stack, and nothing here is nested.
    if let line = lineOfNesting(yaml) {
      throw DataError(
        path: path, what: "line \(line): has a list or a nested mapping",
        remedy: "write `key: number`, one on each line")
    }
    do {
      guard let root = try Yams.compose(yaml: yaml), root.tag != Tag(.null) else { return [] }
      guard let mapping = root.mapping else {
        throw DataError(
          path: path, what: "line \(root.mark?.line ?? 1): is not a mapping",
          remedy: "write `key: number`, one on each line")
      }
      return mapping.map { ($0.key, $0.value) }
    } catch let error as DataError {
      throw error
    } catch let error as YamlError {
      throw DataError(path: path, what: error.problem, remedy: "write `key: number`, one on each line")
    } catch {
      throw DataError(path: path, what: "is not YAML", remedy: "write `key: number`, one on each line")
    }
  }

  /// The first line that is more than `key: value`, outside comments.
  private static func lineOfNesting(_ text: String) -> Int? {
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let content = line.prefix { $0 != "#" }
      let first = content.first { !$0.isWhitespace }
      if content.contains(where: { "[{".contains($0) }) || first == "?" || first == "-" && !content.hasPrefix("---") {
        return number + 1
      }
      if content.hasPrefix(" ") && content.contains(":") { return number + 1 }
    }
    return nil
  }

  private static func nearestKey(to name: String) -> String {
    fields.map(\.key).min { distance($0, name) < distance($1, name) }!
  }

  /// Levenshtein distance of the first 80 characters.
  private static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second.prefix(80))
    var row = Array(0...second.count)
    for (i, letter) in first.prefix(80).enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in second.indices {
        let replaced = diagonal + (letter == second[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row.last!
  }
}

/// The shortest text that reads back as the same number, without ".0".
private func shortest(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

extension YamlError {
  fileprivate var problem: String {
    switch self {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "line \(mark.line): is not YAML: \(problem)"
    case .duplicatedKeysInMapping(let duplicates, let context):
      "line \(context.mark.line): the key \(duplicates.map { "`\($0)`" }.joined(separator: ", ")) occurs twice"
    default: "is not YAML"
    }
  }
}
