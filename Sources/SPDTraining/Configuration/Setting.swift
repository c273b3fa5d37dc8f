/// A setting's key and value with its source.
public struct Setting: Equatable, Sendable {
  public var key: String
  public var value: SettingValue
  public var source: Source

  public enum Source: Equatable, Sendable, CustomStringConvertible {
    case file(String, line: Int)
    case commandLine

    public var description: String {
      switch self {
      case .file(let path, let line): "\(path):\(line)"
      case .commandLine: "command line"
      }
    }
  }

  public init(key: String, value: SettingValue, source: Source) {
    self.key = key
    self.value = value
    self.source = source
  }

  /// Parses `key=value`. Elements of a list are separated by commas, optionally in brackets.
  ///
  /// - Throws: `ConfigurationError` if there is no `=` or no key before it.
  public init(argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw ConfigurationError(
        source: .commandLine, problem: "`\(argument)` is not a setting; write key=value, such as epochs=10")
    }
    self.init(key: parts[0], value: .word(parts[1]), source: .commandLine)
  }
}

/// An unknown setting or invalid value, with its location and the remedy.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  public var source: Setting.Source
  public var problem: String

  public init(source: Setting.Source, problem: String) {
    self.source = source
    self.problem = problem
  }

  public var description: String { "\(source): \(problem)" }
}
