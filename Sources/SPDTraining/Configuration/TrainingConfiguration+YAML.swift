import Foundation
import SPDFormats
internal import Yams

extension TrainingConfiguration {
  /// The whole configuration as a YAML file that reads back as the same value.
  public var yaml: String {
    SettingTable.sections.map { section in
      let lines = section.fields.map { field in
        yamlLine(field.key, field.read(self)) + "  # \(field.help)"
      }
      return "# \(section.title)\n" + lines.joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }

  /// Writes `yaml`, whole or not at all.
  public func write(to path: String) throws {
    try writeAtomically(to: path) { try $0.write(Array(yaml.utf8)) }
  }

  /// The settings of a YAML file in their order: one mapping of keys to words or lists of words.
  ///
  /// - Throws: `ConfigurationError` with the line for what is no YAML or nested deeper, `FormatError` where the file
  ///   cannot be read.
  public static func readSettings(_ path: String) throws -> [Setting] {
    try yamlMapping(try readText(path), path: path).map { key, node in
      Setting(key: key.text, value: try settingValue(of: node, key: key.text, path: path), source: key.source)
    }
  }
}

private func yamlLine(_ key: String, _ value: SettingValue) -> String {
  let node: Node
  switch value {
  case .word(let word): node = yamlScalar(word)
  case .list(let words): node = .sequence(Node.Sequence(words.map(yamlScalar), .implicit, .flow))
  case .none: node = Node("null")
  }
  // A text fails only where memory does.
  let line = try! Yams.serialize(node: .mapping([Node(key): node]), width: -1, allowUnicode: true)
  return line.hasSuffix("\n") ? String(line.dropLast()) : line
}

/// Plain where nobody could read something else into it.
private func yamlScalar(_ word: String) -> Node {
  let plain = word.utf8.allSatisfy { byte in
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf) || "._+-/".utf8.contains(byte)
  }
  return Node(word, .implicit, plain && !word.isEmpty && word.lowercased() != "null" ? .plain : .doubleQuoted)
}
