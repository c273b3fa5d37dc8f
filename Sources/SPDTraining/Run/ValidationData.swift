import Foundation
import SPDDriver

/// Resolves the images and preprocessing of `spdc val`.
package struct ValidationData {
  /// Path of the weights, which may be a run's checkpoint.
  var weights: String
  var model: LoadedModel
  /// The model argument of the command line, which selects the preset.
  var argument: String
  /// Path of a YAML file of settings.
  var config: String?
  var preset: String?
  /// Settings of the command line, which override all others.
  var settings: [Setting]

  package init(
    weights: String, model: LoadedModel, argument: String, config: String?, preset: String?, settings: [Setting]
  ) {
    (self.weights, self.model, self.argument) = (weights, model, argument)
    (self.config, self.preset, self.settings) = (config, preset, settings)
  }

  /// Whether a run's data set still exists and another folder is given.
  private func isElsewhere(_ own: String, _ named: String) -> Bool {
    func place(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
    return FileManager.default.fileExists(atPath: own) && place(own) != place(named)
  }

  /// Returns the configuration of the weights' run, else the model's preset, with the options applied, and the images.
  ///
  /// The data set of the run, even if it was moved, provides the run's validation split. Another folder without train and val
  /// provides all images unless settings select a split.
  package func resolve() async throws -> (TrainingConfiguration, TrainingData) {
    let checkpoint = try TrainingCheckpoint(ifItIsOne: weights)
    let own = checkpoint?.state.configuration
    var configuration: TrainingConfiguration
    if let own, preset == nil, config == nil {
      configuration = own
      try configuration.apply(settings)
    } else {
      configuration = try TrainingConfiguration.resolve(
        model: argument, file: config, overrides: settings)
    }
    func isGiven(_ key: String) -> Bool { settings.contains { $0.key == key } }
    if let checkpoint, let own {
      if configuration.data.isEmpty { configuration.data = own.data }
      var kept = configuration
      (kept.seed, kept.limit, kept.validationFraction) = (own.seed, own.limit, own.validationFraction)
      if !isElsewhere(own.data, configuration.data), let data = try? await TrainingData(kept, model: model),
        String(data.trainingHash, radix: 16) == checkpoint.facts[RunFacts.training]
      {
        guard isGiven("limit") || isGiven("seed") || isGiven("val-fraction") else { return (kept, data) }
        if isGiven("limit") { kept.limit = configuration.limit }
        if isGiven("seed") { kept.seed = configuration.seed }
        if isGiven("val-fraction") { kept.validationFraction = configuration.validationFraction }
        return (kept, try await TrainingData(kept, model: model))
      }
    }
    let isSaid = config != nil
    if !isSaid, !isGiven("limit") { configuration.limit = 0 }
    let takesAll = !isSaid && !isGiven("val-fraction")
    return (configuration, try await TrainingData(configuration, model: model, takesAll: takesAll))
  }
}
