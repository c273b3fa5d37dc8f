/// A setting's value as written in a file or on the command line.
public enum SettingValue: Equatable, Sendable {
  case word(String)
  case list([String])
  /// `null`: the program chooses the value.
  case none

  /// The value for messages.
  var description: String {
    switch self {
    case .word(let word): word.isEmpty ? "nothing" : "`\(word)`"
    case .list(let words): "[\(words.joined(separator: ", "))]"
    case .none: "null"
    }
  }
}

/// A type whose values are written as one word.
protocol SettingScalar: Equatable, Sendable {
  /// Description of valid words, for messages: "a whole number".
  static var kind: String { get }
  init?(word: String)
  var word: String { get }
}

extension Int: SettingScalar {
  static var kind: String { "a whole number" }
  init?(word: String) { self.init(word) }
  var word: String { String(self) }
}

extension UInt64: SettingScalar {
  static var kind: String { "a whole number" }
  init?(word: String) { self.init(word) }
  var word: String { String(self) }
}

extension Double: SettingScalar {
  static var kind: String { "a number" }

  init?(word: String) {
    guard let value = Double(word), value.isFinite else { return nil }
    self = value
  }

  /// The shortest text that reads back as the same number.
  var word: String { self == rounded() && magnitude < 1e15 ? String(Int64(self)) : "\(self)" }
}

extension Bool: SettingScalar {
  static var kind: String { "true or false" }
  init?(word: String) { self.init(word) }
  var word: String { String(self) }
}

extension String: SettingScalar {
  static var kind: String { "a text" }
  init?(word: String) { self = word }
  var word: String { self }
}

extension SettingScalar where Self: RawRepresentable & CaseIterable, RawValue == String {
  static var kind: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
  init?(word: String) { self.init(rawValue: word) }
  var word: String { rawValue }
}

extension OptimizerConfiguration.Method: SettingScalar {}
extension OptimizerConfiguration.Decay: SettingScalar {}
extension ScheduleConfiguration.Shape: SettingScalar {}
extension AugmentationConfiguration.ValueRange: SettingScalar {}
extension DetectionConfiguration.Cache: SettingScalar {}

/// A condition on values beyond their type.
struct SettingRule<Value>: Sendable {
  /// Completes the sentence "must be a number …"; empty without a condition.
  let words: String
  let holds: @Sendable (Value) -> Bool

  static var any: Self { Self(words: "") { _ in true } }
}

extension SettingRule where Value: Comparable & SettingScalar {
  static func atLeast(_ bound: Value) -> Self { Self(words: "of at least \(bound.word)") { $0 >= bound } }
  static func above(_ bound: Value) -> Self { Self(words: "above \(bound.word)") { $0 > bound } }
  static func within(_ bounds: ClosedRange<Value>) -> Self {
    Self(words: "from \(bounds.lowerBound.word) to \(bounds.upperBound.word)") { bounds.contains($0) }
  }
  static func within(_ bounds: Range<Value>) -> Self {
    Self(words: "of at least \(bounds.lowerBound.word) and below \(bounds.upperBound.word)") { bounds.contains($0) }
  }
}
