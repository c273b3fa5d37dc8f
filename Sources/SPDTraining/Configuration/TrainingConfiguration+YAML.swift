import Foundation
import SPDFormats
internal import Yams

extension TrainingConfiguration {
  /// The configuration as YAML that reads back as the same value.
  public var yaml: String {
    SettingTable.sections.filter { SettingTable.applies($0.scope, to: self) }.map { section in
      let lines = section.fields.map { field in
        yamlLine(field.key, field.read(self)) + "  # \(field.help)"
      }
      return "# \(section.title)\n" + lines.joined(separator: "\n") + "\n"
    }.joined(separator: "\n")
  }

  /// Writes `yaml` atomically.
  public func write(to path: String) throws {
    try writeAtomically(to: path) { try $0.write(Array(yaml.utf8)) }
  }

  /// Reads the settings of a YAML file in order: one mapping of keys to scalars or lists of scalars.
  ///
  /// - Throws: `ConfigurationError` with the line for invalid YAML or deeper nesting, `FormatError` if the file cannot be
  ///   read.
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
  // Serialising strings cannot fail.
  let line = try! Yams.serialize(node: .mapping([Node(key): node]), width: -1, allowUnicode: true)
  return line.hasSuffix("\n") ? String(line.dropLast()) : line
}

/// Returns a plain scalar if it is unambiguous, else a quoted one.
private func yamlScalar(_ word: String) -> Node {
  let plain = word.utf8.allSatisfy { byte in
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf) || "._+-/".utf8.contains(byte)
  }
  return Node(word, .implicit, plain && !word.isEmpty && word.lowercased() != "null" ? .plain : .doubleQuoted)
}
