extension TrainingConfiguration {
  /// The configuration of a run in layers: the preset, then the file's settings over it, then the overrides.
  ///
  /// The preset is the one that the layers name, the highest first; otherwise the model's own.
  ///
  /// - Parameters:
  ///   - model: as the command's argument names it, above all layers; nil where a layer must name it.
  ///   - file: a YAML file of settings, not necessarily of all.
  ///   - overrides: settings of the command line; later ones win.
  /// - Throws: `ConfigurationError` for an unknown key, a value that does not fit, settings that contradict each other,
  ///   or no model; `FormatError` where the file cannot be read.
  public static func resolve(
    model: String? = nil, file: String? = nil, overrides: [Setting] = []
  ) throws -> TrainingConfiguration {
    var layers = try (file.map { try readSettings($0) } ?? []) + overrides
    if let model { layers.append(Setting(key: "model", value: .word(model), source: .commandLine)) }
    guard case .word(let model)? = layers.last(where: { $0.key == "model" })?.value else {
      throw ConfigurationError(
        source: file.map { .file($0, line: 1) } ?? .commandLine,
        problem: "no model is named; write model=resnet18-spd, or the path of a model file")
    }

    var configuration = TrainingConfiguration(preset: TrainingPreset.name(for: model), model: model)
    if let chosen = layers.last(where: { $0.key == "preset" }) { try configuration.set(chosen) }
    configuration = TrainingPreset.configuration(named: configuration.preset, model: model)!
    try configuration.apply(layers)
    return configuration
  }

  /// Changes settings in their order, and checks that they agree.
  ///
  /// - Throws: `ConfigurationError`; nothing is changed then.
  public mutating func apply(_ settings: [Setting]) throws {
    var changed = self
    for setting in settings { try changed.set(setting) }
    if let (problem, keys) = changed.contradiction {
      let culprit = settings.last { keys.contains($0.key) }
      throw ConfigurationError(source: culprit?.source ?? .commandLine, problem: problem)
    }
    self = changed
  }

  private mutating func set(_ setting: Setting) throws {
    let field = try SettingField.named(setting)
    guard field.write(&self, setting.value) else {
      throw ConfigurationError(
        source: setting.source, problem: "`\(field.key)` must be \(field.expectation), not \(setting.value.description)"
      )
    }
    if field.key == "preset", !TrainingPreset.names.contains(preset) {
      throw ConfigurationError(
        source: setting.source,
        problem: "there is no preset `\(preset)`; there are \(TrainingPreset.names.joined(separator: ", "))")
    }
  }

  /// What no single setting shows to be wrong, and the settings that it is about.
  private var contradiction: (problem: String, keys: [String])? {
    if optimizer.nesterov, optimizer.method != .sgd {
      return ("`nesterov` is of SGD; set optimizer to sgd or nesterov to false", ["nesterov", "optimizer"])
    }
    if optimizer.nesterov, optimizer.momentum == 0 {
      return ("`nesterov` needs a `momentum` above 0", ["nesterov", "momentum"])
    }
    return nil
  }

  /// A setting whose value no setting may have, such as `batch 0`: of a damaged file.
  var invalidSetting: String? {
    for field in SettingTable.fields {
      var scratch = self
      let value = field.read(self)
      if !field.write(&scratch, value) { return "\(field.key) is \(value.description), not \(field.expectation)" }
    }
    return nil
  }

  /// Every setting with its help and the values it takes, in the order in which they are written.
  public static var settingHelp: [(key: String, help: String, values: String)] {
    SettingTable.fields.map { ($0.key, $0.help, $0.expectation) }
  }

  /// Every setting and its value as text, for tables.
  public var settings: [(key: String, value: String)] {
    SettingTable.fields.map { field in
      switch field.read(self) {
      case .word(let word): (field.key, word)
      case .list(let words): (field.key, "[\(words.joined(separator: ", "))]")
      case .none: (field.key, "null")
      }
    }
  }
}

extension SettingField {
  /// The field that a setting names.
  static func named(_ setting: Setting) throws -> SettingField {
    if let field = SettingTable.field(setting.key) { return field }
    throw ConfigurationError(
      source: setting.source,
      problem: "there is no setting `\(setting.key)`; did you mean `\(SettingTable.nearest(to: setting.key))`?")
  }
}
