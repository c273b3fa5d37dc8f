internal import Yams
import SPDDriver

/// The search space of a sweep, read from a YAML file:
///
///     trials: 20
///     seed: 0
///     metric: val/top1           # a column of results.csv; losses and times are minimised. Default: what selects `best`
///     settings:                  # shared by all trials
///       epochs: 10
///     space:
///       lr: {log: [0.001, 0.1]}                  # log-uniform
///       momentum: {range: [0.8, 0.99], steps: 20}  # one of 20 values, both ends included
///       batch: [64, 128, 256]                    # one of these
public struct SweepSpace: Sendable {
  public var trials = 20
  /// Maximum number of trials.
  public static let maximumTrials = 10_000
  public var seed: UInt64 = 0
  public var metric: String
  /// Settings shared by all trials.
  public var settings: [Setting] = []
  public var dimensions: [SweepDimension] = []

  /// Whether the metric is minimised: a loss or a time.
  private var isMinimised: Bool { metric.hasSuffix("loss") || metric == "seconds" }

  /// Returns the best of some values of the metric.
  public func best(of values: [Double]) -> Double? { isMinimised ? values.min() : values.max() }

  /// Sorts results by metric, best first and failed trials last; the sort is stable.
  public func ranked(_ results: [SweepResult]) -> [SweepResult] {
    func rank(_ result: SweepResult) -> Double { result.metric.map { isMinimised ? $0 : -$0 } ?? .infinity }
    return results.sorted { (rank($0), $0.trial) < (rank($1), $1.trial) }
  }

  /// Reads a YAML file.
  ///
  /// - Parameter task: provides the metrics.
  /// - Throws: `ConfigurationError` with the line for invalid content, `FormatError` if the file cannot be read.
  public init<Task: TrainingTask>(contentsOf path: String, for task: Task.Type = ClassificationTask.self) throws {
    try self.init(yaml: try readText(path), path: path, for: task)
  }

  /// Parses a YAML text.
  ///
  /// - Parameters:
  ///   - path: path of the file, for messages.
  ///   - task: provides the metrics.
  public init<Task: TrainingTask>(
    yaml: String, path: String, for task: Task.Type = ClassificationTask.self
  ) throws {
    metric = task.bestMetric
    for (key, node) in try yamlMapping(yaml, path: path) {
      func refuse(_ problem: String) -> ConfigurationError { ConfigurationError(source: key.source, problem: problem) }
      switch key.text {
      case "trials":
        guard let count = node.string.flatMap({ Int($0) }), (1...Self.maximumTrials).contains(count) else {
          throw refuse("`trials` must be a whole number from 1 to \(Self.maximumTrials)")
        }
        trials = count
      case "seed":
        guard let value = node.string.flatMap({ UInt64($0) }) else { throw refuse("`seed` must be a whole number") }
        seed = value
      case "metric":
        let columns = task.columns
        guard let name = node.string, columns.contains(name) else {
          throw refuse("`metric` must be a column of results.csv: \(columns.joined(separator: ", "))")
        }
        metric = name
      case "settings":
        settings = try yamlMapping(node, path: path).map { key, node in
          let setting = Setting(
            key: key.text, value: try settingValue(of: node, key: key.text, path: path), source: key.source)
          _ = try SettingField.named(setting)
          return setting
        }
      case "space":
        dimensions = try yamlMapping(node, path: path).map { try SweepDimension($0, $1, path: path) }
      default:
        let known = ["trials", "seed", "metric", "settings", "space"]
        let nearest = known.min { editDistance($0, key.text) < editDistance($1, key.text) }!
        throw refuse(
          SettingTable.field(key.text) == nil
            ? "a sweep has no `\(key.text)`; did you mean `\(nearest)`?"
            : "`\(key.text)` must be under `space` to be searched, or under `settings`")
      }
    }
    guard !dimensions.isEmpty else {
      throw ConfigurationError(
        source: .file(path, line: 1), problem: "a sweep needs a `space` with at least one setting, such as lr")
    }
  }
}

extension SweepDimension {
  fileprivate init(_ key: YAMLKey, _ node: Node, path: String) throws {
    func refuse(_ problem: String) -> ConfigurationError { ConfigurationError(source: key.source, problem: problem) }
    let field = try SettingField.named(Setting(key: key.text, value: .none, source: key.source))
    guard field.key != "preset" else {
      throw refuse("a sweep cannot search `preset`; set it under `settings`")
    }
    func check(_ word: String) throws {
      var scratch = TrainingConfiguration(preset: TrainingPreset.fallback, model: "m")
      guard field.write(&scratch, .word(word)) else {
        throw refuse("`\(field.key)` must be \(field.expectation), not `\(word)`")
      }
    }
    self.key = field.key
    source = key.source
    isWhole = field.number == .whole
    if node.mapping != nil {
      values = try Self.range(field, try yamlMapping(node, path: path), refuse)
      guard case .range(let bounds, _, _) = values else { return }
      for bound in [bounds.lowerBound, bounds.upperBound] { try check(bound.word) }
    } else if case .list(let words) = try settingValue(of: node, key: field.key, path: path), !words.isEmpty {
      for word in words { try check(word) }
      guard Set(words).count == words.count else { throw refuse("`\(field.key)` has a duplicate value") }
      values = .choices(words)
    } else {
      throw refuse(
        "`\(field.key)` needs several values: [a, b, c], {range: [low, high]} or {log: [low, high]}; "
          + "a single one belongs under `settings`")
    }
  }

  private static func range(
    _ field: SettingField, _ entries: [(key: YAMLKey, value: Node)], _ refuse: (String) -> ConfigurationError
  ) throws -> Values {
    let form = "{range: [low, high]} or {log: [low, high]}, with `steps` if wanted"
    guard field.number != nil else { throw refuse("`\(field.key)` does not support ranges; write a list of values") }
    var bounds: [Double]?
    var isLogarithmic = false
    var steps: Int?
    for (key, node) in entries {
      switch key.text {
      case "range", "log":
        guard bounds == nil else { throw refuse("`\(field.key)` has two ranges; write \(form)") }
        bounds = node.sequence?.compactMap { $0.string.flatMap { Double(word: $0) } }
        isLogarithmic = key.text == "log"
      case "steps":
        steps = node.string.flatMap { Int($0) }
        guard let steps, steps >= 2 else { throw refuse("the `steps` of `\(field.key)` must be a whole number from 2") }
      default: throw refuse("a range has no `\(key.text)`; write \(form)")
      }
    }
    guard let bounds, bounds.count == 2, bounds[0] < bounds[1], !isLogarithmic || bounds[0] > 0 else {
      throw refuse(
        "the range of `\(field.key)` must be two numbers, the smaller first"
          + (isLogarithmic ? ", above 0 for a logarithm" : "") + "; write \(form)")
    }
    return .range(bounds[0]...bounds[1], isLogarithmic: isLogarithmic, steps: steps)
  }
}
