/// A setting: its key, its help, its valid values, and its property of the configuration.
struct SettingField: Sendable {
  let key: String
  /// One line for help texts and for comments of the written file.
  let help: String
  /// Description of valid values, for messages: "a number of at least 0".
  let expectation: String
  /// Names in other programs. They are rejected with a hint to `key`.
  let otherNames: [String]
  /// The kind of number, for settings that a sweep can search over a range; nil for others.
  let number: Number?
  let read: @Sendable (TrainingConfiguration) -> SettingValue
  /// Sets the value; returns false and changes nothing if it is invalid.
  let write: @Sendable (inout TrainingConfiguration, SettingValue) -> Bool

  enum Number: Sendable { case whole, real }

  typealias Path<Value> = WritableKeyPath<TrainingConfiguration, Value> & Sendable

  static func one<Value: SettingScalar>(
    _ key: String, _ path: Path<Value>, _ rule: SettingRule<Value> = .any, also otherNames: [String] = [],
    help: String
  ) -> Self {
    Self(
      key: key, help: help, expectation: expectation(Value.kind, rule), otherNames: otherNames,
      number: Value.self == Int.self ? .whole : Value.self == Double.self ? .real : nil,
      read: { .word($0[keyPath: path].word) },
      write: { configuration, value in
        guard case .word(let word) = value, let read = Value(word: word), rule.holds(read) else { return false }
        configuration[keyPath: path] = read
        return true
      })
  }

  /// Declares a setting that may be null.
  static func optional<Value: SettingScalar>(
    _ key: String, _ path: Path<Value?>, _ rule: SettingRule<Value> = .any, also otherNames: [String] = [],
    help: String
  ) -> Self {
    Self(
      key: key, help: help, expectation: expectation(Value.kind, rule) + ", or null", otherNames: otherNames,
      number: nil,
      read: { $0[keyPath: path].map { .word($0.word) } ?? .none },
      write: { configuration, value in
        switch value {
        case .none, .word("null"): configuration[keyPath: path] = nil
        case .word(let word):
          guard let read = Value(word: word), rule.holds(read) else { return false }
          configuration[keyPath: path] = read
        case .list: return false
        }
        return true
      })
  }

  /// Declares a list setting.
  ///
  /// - Parameter rule: rule for the whole list; its words complete "must be a list …".
  static func list<Value: SettingScalar>(
    _ key: String, _ path: Path<[Value]>, _ rule: SettingRule<[Value]>, also otherNames: [String] = [], help: String
  ) -> Self {
    Self(
      key: key, help: help, expectation: "a list " + rule.words, otherNames: otherNames, number: nil,
      read: { .list($0[keyPath: path].map(\.word)) },
      write: { configuration, value in
        let words: [String]
        switch value {
        case .list(let list): words = list
        case .word(let word): words = elements(of: word)
        case .none: words = []
        }
        let values = words.compactMap { Value(word: $0) }
        guard values.count == words.count, rule.holds(values) else { return false }
        configuration[keyPath: path] = values
        return true
      })
  }

  /// Splits a list from the command line: `60,120,160` or `[60, 120, 160]`.
  private static func elements(of word: String) -> [String] {
    let isBracketed = word.hasPrefix("[") && word.hasSuffix("]")
    let inner = (isBracketed ? word.dropFirst().dropLast() : word[...]).filter { $0 != " " }
    return inner.isEmpty ? [] : inner.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  static func expectation<Value>(_ kind: String, _ rule: SettingRule<Value>) -> String {
    rule.words.isEmpty ? kind : kind + " " + rule.words
  }
}
