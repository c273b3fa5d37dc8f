import SPDDriver

/// All settings of a run, in the order of the written configuration.
///
/// Files, the command line, the written configuration, help texts and sweeps are driven by this table: a new setting is one
/// line here and one property of `TrainingConfiguration`.
enum SettingTable {
  /// The tasks that a setting concerns.
  enum Scope { case all, classification, detection }

  static let sections: [(title: String, scope: Scope, fields: [SettingField])] =
    [
      (
        "Run", .all,
        [
          .one("preset", \.preset, help: "preset that provides the defaults"),
          .one(
            "model", \.model, .notEmpty, also: ["arch", "cfg", "network"],
            help: "name of a shipped model, or path of a model file"),
          .one("data", \.data, also: ["dataset", "data-dir"], help: "data set"),
          .one(
            "val-fraction", \.validationFraction, .within(0..<1), also: ["validation-split", "split"],
            help: "validation fraction of folders without train and val"),
          .one("limit", \.limit, .atLeast(0), also: ["max-samples"], help: "maximum number of images; 0: all"),
          .optional(
            "classes", \.classes, .within(2...1_000_000), also: ["nc"],
            help: "number of classes; null: the data set's"),
          .optional(
            "image-size", \.imageSize, .within(1...65_536), also: ["imgsz", "img", "size", "resolution"],
            help: "side of the input images in pixels; null: the model's, or that of shapes:SIDE"),
          .one("strict", \.strict, help: "fail on a broken image; otherwise it is reported and skipped"),
          .one(
            "seed", \.seed, also: ["random-seed"], help: "random seed for initialisation, shuffling and augmentation"),
          .one(
            "epochs", \.epochs, .within(1...1_000_000), also: ["max-epochs", "num-epochs"],
            help: "number of epochs"),
          .one("batch", \.batch, .within(1...1_000_000), also: ["batch-size", "bs", "b"], help: "batch size"),
          .one(
            "threads", \.threads, .within(0...1024), also: ["num-threads"],
            help: "number of OpenMP threads; 0: what affinity, CPU quota and OMP_NUM_THREADS allow"),
          .one(
            "loader-threads", \.loaderThreads, .within(1...256), also: ["workers", "num-workers"],
            help: "number of threads that read and augment images"),
          .optional(
            "max-arena", \.maxArena, .within(0.001...1e9), also: ["memory"],
            help:
              "maximum arena of a step in MB, with gradients unless they are clipped or accumulated; null: unlimited"
          ),
        ]
      ),
      (
        "Optimiser", .all,
        [
          .one("optimizer", \.optimizer.method, also: ["optimiser", "optim"], help: "update rule"),
          .one(
            "lr", \.optimizer.learningRate, .atLeast(0), also: ["learning-rate", "lr0", "base-lr"],
            help: "base learning rate"),
          .one(
            "momentum", \.optimizer.momentum, .within(0..<1), also: ["beta1", "mu"],
            help: "momentum of SGD; beta1 of Adam"),
          .one("beta2", \.optimizer.beta2, .within(0..<1), help: "beta2 of Adam"),
          .one("epsilon", \.optimizer.epsilon, .above(0), also: ["eps"], help: "epsilon in Adam's denominator"),
          .one("nesterov", \.optimizer.nesterov, help: "use Nesterov momentum with SGD"),
          .one(
            "weight-decay", \.optimizer.weightDecay, .atLeast(0), also: ["wd", "l2"], help: "weight decay (L2 penalty)"),
          .one(
            "decay", \.optimizer.decay,
            help: "parameters with weight decay: all, or weights (no biases and BatchNorm parameters)"),
        ]
      ),
      (
        "Learning rate schedule", .all,
        [
          .one("schedule", \.schedule.shape, also: ["scheduler", "lr-schedule"], help: "shape of the schedule"),
          .one(
            "warmup-epochs", \.schedule.warmupEpochs, .within(0...1_000_000), also: ["warmup", "warm"],
            help: "number of epochs of linear warm-up, per iteration"),
          .list(
            "milestones", \.schedule.milestones, .ascending, also: ["steps"],
            help: "step: epochs at which the rate decays"),
          .one(
            "decay-factor", \.schedule.decayFactor, .within(0...1), also: ["gamma"],
            help: "step: decay factor at each milestone"),
          .one(
            "final-factor", \.schedule.finalFactor, .within(0...1), also: ["lrf"],
            help: "cosine and linear: final rate as a fraction of lr"),
          .optional(
            "warmup-iterations", \.schedule.warmupIterations, .within(0...1_000_000_000),
            help: "minimum iterations of YOLOv5's warm-up; null: the plain warm-up"),
          .optional(
            "warmup-momentum", \.schedule.warmupMomentum, .within(0..<1),
            help: "momentum at the start of YOLOv5's warm-up; null: momentum"),
          .optional(
            "warmup-bias-lr", \.schedule.warmupBiasRate, .atLeast(0),
            help: "learning rate of biases at the start of YOLOv5's warm-up; null: 0"),
        ]
      ),
      (
        "Training step", .all,
        [
          .one("label-smoothing", \.labelSmoothing, .within(0..<1), also: ["smoothing"], help: "label smoothing"),
          .one(
            "ema", \.average.decay, .within(0..<1), also: ["ema-decay"], help: "decay of the weights' EMA; 0: no EMA"),
          .one(
            "ema-ramp", \.average.ramp, .atLeast(0), also: ["ema-tau"],
            help: "time constant of the EMA decay's ramp in steps"),
          .one(
            "clip", \.clip, .atLeast(0), also: ["clip-norm", "max-norm", "grad-clip"],
            help: "maximum gradient norm; 0: no clipping"),
          .one(
            "accumulate", \.accumulate, .within(1...1_000_000), also: ["grad-accum"],
            help: "mini-batches per optimiser step (gradient accumulation)"),
          .optional(
            "nominal-batch", \.nominalBatch, .within(1...1_000_000), also: ["nbs"],
            help: "batch size to accumulate to, with sums of gradients as in YOLOv5; null: accumulate counts"),
          .optional(
            "freeze", \.freeze, .within(1...1_000_000),
            help: "number of leading layers that are not trained; null: none"),
        ]
      ),
      (
        "Augmentation and normalisation", .classification,
        [
          .one(
            "flip-horizontal", \.augmentation.flipHorizontal, .within(0...1), also: ["fliplr"],
            help: "probability of a horizontal flip"),
          .one(
            "flip-vertical", \.augmentation.flipVertical, .within(0...1), also: ["flipud"],
            help: "probability of a vertical flip"),
          .one(
            "crop-padding", \.augmentation.cropPadding, .within(0...4096),
            help: "zero padding in pixels before a random crop"),
          .one(
            "rotation", \.augmentation.rotation, .within(0...180), also: ["degrees"],
            help: "maximum rotation in degrees"),
          .list("mean", \.augmentation.mean, .threeNumbers, help: "mean of red, green and blue, subtracted"),
          .list(
            "std", \.augmentation.standardDeviation, .threePositiveNumbers, also: ["standard-deviation"],
            help: "standard deviation of red, green and blue, divided by"),
          .one("value-range", \.augmentation.valueRange, help: "range of pixel values before normalisation"),
        ]
      ),
      (
        "Checkpoints and validation", .all,
        [
          .one(
            "save-every", \.saveEvery, .atLeast(0), also: ["save-period"],
            help: "number of epochs between kept checkpoints; 0: none"),
          .one(
            "save-iterations", \.saveIterations, .atLeast(0),
            help: "number of iterations between writes of the checkpoint last; 0: only after epochs"),
          .one(
            "validate-every", \.validateEvery, .atLeast(1), also: ["validation-interval", "val-interval"],
            help: "number of epochs between validations"),
          .optional(
            "patience", \.patience, .within(1...1_000_000), also: ["early-stopping"],
            help: "epochs without a better validation before the run ends; null: never"),
        ]
      ),
    ] + detection

  static let fields = sections.flatMap(\.fields)
  private static let scopes = Dictionary(
    uniqueKeysWithValues: sections.flatMap { section in section.fields.map { ($0.key, section.scope) } })

  static func field(_ key: String) -> SettingField? { fields.first { $0.key == key } }

  /// Whether a setting concerns the task of a configuration.
  static func applies(_ scope: Scope, to configuration: TrainingConfiguration) -> Bool {
    scope == .all || (scope == .detection) == configuration.isDetection
  }

  static func applies(_ field: SettingField, to configuration: TrainingConfiguration) -> Bool {
    applies(scopes[field.key]!, to: configuration)
  }

  /// The settings that concern the task of a configuration.
  static func fields(of configuration: TrainingConfiguration) -> [SettingField] {
    sections.filter { applies($0.scope, to: configuration) }.flatMap(\.fields)
  }

  /// Returns the valid key closest to an unknown one.
  static func nearest(to key: String) -> String {
    let wanted = key.lowercased()
    let names = fields.flatMap { field in ([field.key] + field.otherNames).map { (name: $0, key: field.key) } }
    return names.min { editDistance($0.name, wanted) < editDistance($1.name, wanted) }!.key
  }
}

extension SettingRule where Value == String {
  fileprivate static var notEmpty: Self { Self(words: "that is not empty") { !$0.isEmpty } }
}

extension SettingRule where Value == [Int] {
  fileprivate static var ascending: Self {
    Self(words: "of ascending whole numbers above 0, such as [60, 120, 160]") { values in
      values.allSatisfy { $0 > 0 } && zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
    }
  }
}

extension SettingRule where Value == [Double] {
  fileprivate static var threeNumbers: Self {
    Self(words: "of three numbers, such as [0.5, 0.5, 0.5]") { $0.count == 3 }
  }
  fileprivate static var threePositiveNumbers: Self {
    Self(words: "of three numbers above 0, such as [0.25, 0.25, 0.25]") { $0.count == 3 && $0.allSatisfy { $0 > 0 } }
  }
}
