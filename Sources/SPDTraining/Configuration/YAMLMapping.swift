import SPDFormats
internal import Yams

/// A key of a YAML mapping with its location.
struct YAMLKey {
  let text: String
  let source: Setting.Source
}

/// Returns the keys and values of a YAML text in order; none for an empty text.
///
/// - Throws: `ConfigurationError` with the line for invalid YAML, too many aliases, a root that is not a mapping, or a
///   duplicate key.
func yamlMapping(_ text: String, path: String) throws -> [(key: YAMLKey, value: Node)] {
  if let line = YAMLAliases.lineOfExcess(in: text) {
    throw ConfigurationError(source: .file(path, line: line), problem: "too many aliases")
  }
  do {
    guard let root = try Yams.compose(yaml: text.withoutByteOrderMark), root.tag != Tag(.null) else { return [] }
    return try yamlMapping(root, path: path)
  } catch let error as YamlError {
    throw ConfigurationError(source: .file(path, line: error.line(in: text)), problem: error.problem)
  }
}

/// Returns the keys and values of a mapping within a file.
func yamlMapping(_ node: Node, path: String) throws -> [(key: YAMLKey, value: Node)] {
  guard let mapping = node.mapping else {
    throw ConfigurationError(
      source: .file(path, line: node.line), problem: "settings must be written as `key: value`, one on each line")
  }
  return try mapping.map { key, value in
    guard let text = key.string else {
      throw ConfigurationError(source: .file(path, line: key.line), problem: "a key must be a word")
    }
    return (YAMLKey(text: text, source: .file(path, line: key.line)), value)
  }
}

/// Converts a scalar, a list of scalars or `null`.
func settingValue(of node: Node, key: String, path: String) throws -> SettingValue {
  func deeper() -> ConfigurationError {
    ConfigurationError(
      source: .file(path, line: node.line),
      problem: "`\(key)` must be a word, a number or a list of them; settings are not nested")
  }
  switch node {
  case .scalar(let scalar):
    // An unquoted null, ~ or an empty value.
    return node.tag == Tag(.null) ? .none : .word(scalar.string)
  case .sequence(let elements):
    return .list(
      try elements.map { element in
        guard let word = element.string else { throw deeper() }
        return word
      })
  default: throw deeper()
  }
}

/// Reads a UTF-8 text file.
func readText(_ path: String) throws -> String {
  guard PathKind(of: path) != nil else { throw FormatError(path: path, problem: "no such file") }
  guard let text = String(validating: try readWholeFile(path), as: UTF8.self) else {
    throw FormatError(path: path, problem: "is not UTF-8 text")
  }
  return text
}

extension Node {
  /// Line number, counted from 1.
  var line: Int { mark?.line ?? 1 }
}

extension YamlError {
  fileprivate func line(in text: String) -> Int {
    switch self {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): return mark.line
    case .duplicatedKeysInMapping(let duplicates, let context):
      // The mark is the mapping's; report the line of the key's second occurrence.
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().filter { _, line in
        duplicates.contains { line.drop(while: \.isWhitespace).hasPrefix($0 + ":") }
      }
      return lines.count > 1 ? lines[1].offset + 1 : context.mark.line
    default: return 1
    }
  }

  fileprivate var problem: String {
    switch self {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _):
      "is not YAML: \(problem)"
    case .duplicatedKeysInMapping(let duplicates, _):
      "the key \(duplicates.map { "`\($0)`" }.joined(separator: ", ")) occurs twice"
    default: "is not YAML"
    }
  }
}
