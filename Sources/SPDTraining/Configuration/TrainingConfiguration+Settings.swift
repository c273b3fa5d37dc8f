extension TrainingConfiguration {
  /// Resolves the configuration of a run from a preset, the file's settings, and the overrides, later ones winning.
  ///
  /// The preset is the last one set by the overrides or the file, else the model's.
  ///
  /// - Parameters:
  ///   - model: the command's model argument, which overrides all others; nil if the file or an override sets the model.
  ///   - file: a YAML file with some or all settings.
  ///   - overrides: settings of the command line; later ones win.
  ///   - isDetector: whether the model ends in Detect, which decides the preset of a model without its own.
  /// - Throws: `ConfigurationError` for an unknown key, an invalid value, conflicting settings or a missing model;
  ///   `FormatError` if the file cannot be read.
  public static func resolve(
    model: String? = nil, file: String? = nil, overrides: [Setting] = [], isDetector: Bool = false
  ) throws -> TrainingConfiguration {
    var layers = try (file.map { try readSettings($0) } ?? []) + overrides
    if let model { layers.append(Setting(key: "model", value: .word(model), source: .commandLine)) }
    guard case .word(let model)? = layers.last(where: { $0.key == "model" })?.value else {
      throw ConfigurationError(
        source: file.map { .file($0, line: 1) } ?? .commandLine,
        problem: "no model is set; write model=resnet18-spd, or the path of a model file")
    }

    var configuration = TrainingConfiguration(
      preset: TrainingPreset.name(for: model, isDetector: isDetector), model: model)
    if let chosen = layers.last(where: { $0.key == "preset" }) { try configuration.set(chosen) }
    configuration = TrainingPreset.configuration(named: configuration.preset, model: model)!
    try configuration.apply(layers)
    return configuration
  }

  /// Applies settings in order, and checks that they do not conflict.
  ///
  /// - Throws: `ConfigurationError`; the configuration is then unchanged.
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
    try checkScope(field.key, setting.source)
    guard field.write(&self, setting.value) else {
      throw ConfigurationError(
        source: setting.source, problem: "`\(field.key)` must be \(field.expectation), not \(setting.value.description)"
      )
    }
    if field.key == "preset", !TrainingPreset.names.contains(preset) {
      throw ConfigurationError(
        source: setting.source,
        problem: "there is no preset `\(preset)`; available: \(TrainingPreset.names.joined(separator: ", "))")
    }
  }

  /// Checks that a setting concerns this task.
  ///
  /// - Throws: `ConfigurationError` naming the setting of this task with the same meaning, if there is one.
  func checkScope(_ key: String, _ source: Setting.Source) throws {
    guard let field = SettingTable.field(key), !SettingTable.applies(field, to: self) else { return }
    throw ConfigurationError(
      source: source,
      problem: "`\(field.key)` is a setting of \(isDetection ? "classification" : "detection"), but this run trains "
        + (isDetection ? "a detector" : "a classifier") + hint(for: field))
  }

  /// Names the setting of this task that another task's key stands for.
  private func hint(for field: SettingField) -> String {
    SettingTable.fields(of: self).first { $0.otherNames.contains(field.key) }.map { "; set `\($0.key)`" } ?? ""
  }

  /// A conflict between settings, and their keys.
  private var contradiction: (problem: String, keys: [String])? {
    if optimizer.nesterov, optimizer.method != .sgd {
      return ("`nesterov` requires SGD; set optimizer to sgd or nesterov to false", ["nesterov", "optimizer"])
    }
    if optimizer.nesterov, optimizer.momentum == 0 {
      return ("`nesterov` requires a `momentum` above 0", ["nesterov", "momentum"])
    }
    guard let detection = detectionOrNone, detection.rectangular else { return nil }
    if detection.isMultiScale {
      return (
        "`rect` and `multi-scale` both decide the size of a mini-batch; set one of them to false",
        ["rect", "multi-scale"]
      )
    }
    if detection.weighsImages {
      return (
        "`rect` keeps images in order, but `image-weights` draws them; set one of them to false",
        ["rect", "image-weights"]
      )
    }
    return nil
  }

  /// Describes an invalid value, such as `batch 0` from a damaged file; nil if all are valid.
  var invalidSetting: String? {
    for field in SettingTable.fields(of: self) {
      var scratch = self
      let value = field.read(self)
      if !field.write(&scratch, value) { return "\(field.key) is \(value.description), not \(field.expectation)" }
    }
    return nil
  }

  /// All settings with help and valid values, in the order of the written configuration.
  public var settingHelp: [(key: String, help: String, values: String)] {
    SettingTable.fields(of: self).map { ($0.key, $0.help, $0.expectation) }
  }

  /// All settings with their values as text, for tables.
  public var settings: [(key: String, value: String)] {
    SettingTable.fields(of: self).map { field in
      switch field.read(self) {
      case .word(let word): (field.key, word)
      case .list(let words): (field.key, "[\(words.joined(separator: ", "))]")
      case .none: (field.key, "null")
      }
    }
  }
}

extension SettingField {
  /// Returns the field of a setting's key.
  static func named(_ setting: Setting) throws -> SettingField {
    if let field = SettingTable.field(setting.key) { return field }
    throw ConfigurationError(
      source: setting.source,
      problem: "there is no setting `\(setting.key)`; did you mean `\(SettingTable.nearest(to: setting.key))`?")
  }
}
