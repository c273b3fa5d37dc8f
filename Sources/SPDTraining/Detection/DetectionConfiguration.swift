import SPDDetection
import SPDDriver
import SPDFormats

/// Settings of a run that trains a detector, beside those of every run.
public struct DetectionConfiguration: Codable, Equatable, Sendable {
  /// Where decoded and resized images are kept.
  public enum Cache: String, Codable, CaseIterable, Sendable { case none, ram, disk }

  /// Loss gains and augmentation. The optimiser's settings are those of every run, so these values of a hyperparameter file
  /// are moved there when it is read.
  public var hyperparameters = DetectionHyperparameters.scratch
  /// Rectangular training batches: images sorted by aspect ratio, without mosaics.
  public var rectangular = false
  public var cache = Cache.none
  /// Probability of CutMix, which the paper lists and its code lacks.
  public var cutMix = 0.0
  /// Whether anchors are replaced where their best possible recall is below 0.98.
  public var autoanchor = true

  /// Whether every mini-batch has its own size, from half to one and a half of the image size.
  public var isMultiScale: Bool {
    get { isMultiScaleOrNone ?? false }
    set { isMultiScaleOrNone = newValue }
  }
  /// Whether images are drawn with weights, those with rare or difficult classes more often.
  public var weighsImages: Bool {
    get { weighsImagesOrNone ?? false }
    set { weighsImagesOrNone = newValue }
  }
  /// Nil in checkpoints of versions without them.
  private var isMultiScaleOrNone: Bool? = false
  private var weighsImagesOrNone: Bool? = false

  public init() {}
}

extension TrainingConfiguration {
  /// Whether a detector is trained.
  public var isDetection: Bool { detectionOrNone != nil }

  /// The settings of detection.
  public var detection: DetectionConfiguration {
    get { detectionOrNone ?? DetectionConfiguration() }
    set { detectionOrNone = newValue }
  }

  /// The settings that a hyperparameter file decides, in the order of `SettingTable`.
  public var hyperparameterSettings: [Setting] {
    let keys: Set = [
      "lr", "momentum", "weight-decay", "final-factor", "warmup-epochs", "warmup-momentum", "warmup-bias-lr",
    ]
    return SettingTable.fields(of: self)
      .filter { keys.contains($0.key) || SettingTable.detectionHyperparameters.contains($0.key) }
      .map { Setting(key: $0.key, value: $0.read(self), source: .commandLine) }
  }

  /// Reads YOLOv5's file of hyperparameters as settings.
  ///
  /// - Throws: `DataError` naming file, line and remedy.
  package static func hyperparameterSettings(contentsOf path: String) throws -> [Setting] {
    var configuration = TrainingConfiguration(preset: "detection", model: "")
    let hyperparameters = try DetectionHyperparameters(contentsOf: path)
    if let anchors = hyperparameters.anchors, anchors > 0 {
      Messages.note(
        printable("\(path): `anchors: \(anchors)` is not used: each level has the anchors of the model file's Detect"))
    }
    configuration.apply(hyperparameters)
    return configuration.hyperparameterSettings
  }

  /// All hyperparameters, those of the optimiser and its schedule among them.
  package var hyperparameters: DetectionHyperparameters {
    var hyperparameters = detection.hyperparameters
    hyperparameters.lr0 = optimizer.learningRate
    hyperparameters.momentum = optimizer.momentum
    hyperparameters.weightDecay = optimizer.weightDecay
    hyperparameters.lrf = schedule.finalFactor
    hyperparameters.warmupEpochs = Double(schedule.warmupEpochs)
    hyperparameters.warmupMomentum = schedule.warmupMomentum ?? optimizer.momentum
    hyperparameters.warmupBiasLR = schedule.warmupBiasRate ?? 0
    return hyperparameters
  }

  /// Applies YOLOv5's hyperparameters: those of the optimiser and its schedule become settings of every run.
  public mutating func apply(_ hyperparameters: DetectionHyperparameters) {
    optimizer.learningRate = hyperparameters.lr0
    optimizer.momentum = hyperparameters.momentum
    optimizer.weightDecay = hyperparameters.weightDecay
    schedule.finalFactor = hyperparameters.lrf
    schedule.warmupEpochs = Int(hyperparameters.warmupEpochs.rounded())
    schedule.warmupMomentum = hyperparameters.warmupMomentum
    schedule.warmupBiasRate = hyperparameters.warmupBiasLR
    detection.hyperparameters = hyperparameters
  }
}
