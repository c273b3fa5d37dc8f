/// Named training recipes of the paper's networks.
///
/// Paper and published code differ for ResNet50-SPD: 200 epochs and a weight decay of 1e-4 versus 500 and 5e-4. The preset
/// with the model's name has the paper's values, that with the suffix `-code` the code's. The paper describes the schedule
/// only as "the same decay as ResNet", so both use the code's: × 0.2 at epochs 60, 120 and 160, after one warm-up epoch.
public enum TrainingPreset {
  /// The preset of models without their own.
  public static let fallback = "default"

  public static let names = presets.map(\.name)

  /// - Returns: nil for a name that is not in `names`.
  public static func configuration(named name: String, model: String) -> TrainingConfiguration? {
    guard let preset = presets.first(where: { $0.name == name }) else { return nil }
    var configuration = TrainingConfiguration(preset: name, model: model)
    preset.change(&configuration)
    return configuration
  }

  /// Returns the preset's name for a model, or `default`. A baseline uses the preset of the network it is compared with.
  public static func name(for model: String) -> String {
    switch model {
    case "resnet18-spd", "resnet18": "resnet18-spd"
    case "resnet50-spd", "resnet50": "resnet50-spd"
    default: fallback
    }
  }

  private struct Preset: Sendable {
    let name: String
    let change: @Sendable (inout TrainingConfiguration) -> Void
  }

  private static let presets = [
    Preset(name: fallback) { _ in },
    // Tiny ImageNet. Paper and code agree.
    Preset(name: "resnet18-spd") {
      $0.batch = 256
      $0.optimizer.learningRate = 0.01793
      $0.optimizer.momentum = 0.9447
      $0.optimizer.weightDecay = 0.002113
      $0.augmentation.flipVertical = 0.5
      $0.augmentation.valueRange = .byte
      $0.augmentation.mean = [122.4786, 114.2755, 101.3963]
      $0.augmentation.standardDeviation = [70.4924, 68.5679, 71.8127]
    },
    Preset(name: "resnet50-spd") {
      cifar(&$0)
      $0.optimizer.weightDecay = 1e-4
    },
    Preset(name: "resnet50-spd-code") {
      cifar(&$0)
      $0.epochs = 500
      $0.optimizer.weightDecay = 5e-4
    },
  ]

  @Sendable private static func cifar(_ configuration: inout TrainingConfiguration) {
    configuration.augmentation.rotation = 15
    // CIFAR-100's statistics, which the published CIFAR-10 training uses.
    configuration.augmentation.mean = [0.5070751592, 0.4865488733, 0.4409178433]
    configuration.augmentation.standardDeviation = [0.2673342859, 0.2564384629, 0.2761504713]
  }
}
