import SPDDriver

/// Every setting of a run, in the order in which the configuration is written.
///
/// Reading a file, overriding on the command line, writing the effective configuration, the help text and the sweep all
/// go by this table, so that a new setting is one line here and one property of `TrainingConfiguration`.
enum SettingTable {
  static let sections: [(title: String, fields: [SettingField])] = [
    (
      "The run",
      [
        .one("preset", \.preset, help: "the settings that all others start from"),
        .one("model", \.model, .notEmpty, also: ["arch", "cfg", "network"], help: "a shipped model or a model file"),
        .one("data", \.data, also: ["dataset", "data-dir"], help: "the data set"),
        .one(
          "val-fraction", \.validationFraction, .within(0..<1), also: ["validation-split", "split"],
          help: "part kept for validation of folders without train and val"),
        .one("limit", \.limit, .atLeast(0), also: ["max-samples"], help: "images that are used at most; 0: all"),
        .optional(
          "classes", \.classes, .within(2...1_000_000), also: ["nc"],
          help: "outputs of the network; null: the data set's"),
        .optional(
          "image-size", \.imageSize, .within(1...65_536), also: ["imgsz", "img", "size", "resolution"],
          help: "side of the images in pixels; null: the data set's"),
        .one("seed", \.seed, also: ["random-seed"], help: "of weights, order and augmentation"),
        .one(
          "epochs", \.epochs, .within(1...1_000_000), also: ["max-epochs", "num-epochs"],
          help: "passes over the training set"),
        .one("batch", \.batch, .within(1...1_000_000), also: ["batch-size", "bs", "b"], help: "images in one step"),
        .one(
          "threads", \.threads, .within(0...1024), also: ["num-threads"],
          help: "threads that compute; 0: as many as affinity, CPU quota and OMP_NUM_THREADS allow"),
        .one(
          "loader-threads", \.loaderThreads, .within(1...256), also: ["workers", "num-workers"],
          help: "threads that read and augment images"),
        .optional(
          "max-arena", \.maxArena, .within(0.001...1e9), also: ["memory"],
          help: "MB that a step may hold of what it computes, gradients too if nothing clips or sums them up; null: any"
        ),
      ]
    ),
    (
      "The optimiser",
      [
        .one("optimizer", \.optimizer.method, also: ["optimiser", "optim"], help: "the rule of the updates"),
        .one(
          "lr", \.optimizer.learningRate, .atLeast(0), also: ["learning-rate", "lr0", "base-lr"],
          help: "base learning rate"),
        .one(
          "momentum", \.optimizer.momentum, .within(0..<1), also: ["beta1", "mu"],
          help: "of SGD; the first beta of Adam"),
        .one("beta2", \.optimizer.beta2, .within(0..<1), help: "the second beta of Adam"),
        .one("epsilon", \.optimizer.epsilon, .above(0), also: ["eps"], help: "of Adam's denominator"),
        .one("nesterov", \.optimizer.nesterov, help: "SGD with Nesterov's momentum"),
        .one("weight-decay", \.optimizer.weightDecay, .atLeast(0), also: ["wd", "l2"], help: "pull towards zero"),
        .one("decay", \.optimizer.decay, help: "which parameters decay: all, or no biases and BatchNorms"),
      ]
    ),
    (
      "The learning rate over time",
      [
        .one("schedule", \.schedule.shape, also: ["scheduler", "lr-schedule"], help: "the shape of its fall"),
        .one(
          "warmup-epochs", \.schedule.warmupEpochs, .within(0...1_000_000), also: ["warmup", "warm"],
          help: "epochs of its rise from zero, per iteration"),
        .list("milestones", \.schedule.milestones, .ascending, also: ["steps"], help: "step: epochs at which it falls"),
        .one(
          "decay-factor", \.schedule.decayFactor, .within(0...1), also: ["gamma"],
          help: "step: what a milestone multiplies it by"),
        .one(
          "final-factor", \.schedule.finalFactor, .within(0...1), also: ["lrf"],
          help: "cosine and linear: the end, as a part of lr"),
      ]
    ),
    (
      "The steps",
      [
        .one("label-smoothing", \.labelSmoothing, .within(0..<1), also: ["smoothing"], help: "of the targets"),
        .one(
          "ema", \.average.decay, .within(0..<1), also: ["ema-decay"], help: "decay of the weights' average; 0: none"),
        .one("ema-ramp", \.average.ramp, .atLeast(0), also: ["ema-tau"], help: "steps in which the decay rises"),
        .one(
          "clip", \.clip, .atLeast(0), also: ["clip-norm", "max-norm", "grad-clip"],
          help: "largest norm of the gradients; 0: any"),
        .one(
          "accumulate", \.accumulate, .within(1...1_000_000), also: ["grad-accum"],
          help: "batches to a step of the optimiser"),
      ]
    ),
    (
      "The images",
      [
        .one("flip-horizontal", \.augmentation.flipHorizontal, .within(0...1), also: ["fliplr"], help: "probability"),
        .one("flip-vertical", \.augmentation.flipVertical, .within(0...1), also: ["flipud"], help: "probability"),
        .one(
          "crop-padding", \.augmentation.cropPadding, .within(0...4096),
          help: "zeros around an image before it is cropped"),
        .one(
          "rotation", \.augmentation.rotation, .within(0...180), also: ["degrees"], help: "largest angle in degrees"),
        .list("mean", \.augmentation.mean, .threeNumbers, help: "of red, green and blue: subtracted"),
        .list(
          "std", \.augmentation.standardDeviation, .threePositiveNumbers, also: ["standard-deviation"],
          help: "of red, green and blue: divided by"),
        .one("value-range", \.augmentation.valueRange, help: "of the pixels before the normalisation"),
        .one("strict", \.strict, help: "a broken image ends the run; otherwise it is named and left out"),
      ]
    ),
    (
      "Saving",
      [
        .one(
          "save-every", \.saveEvery, .atLeast(0), also: ["save-period"],
          help: "epochs between kept checkpoints; 0: none"),
        .one(
          "save-iterations", \.saveIterations, .atLeast(0),
          help: "steps after which the checkpoint last is written, also within an epoch; 0: only after epochs"),
        .one(
          "validate-every", \.validateEvery, .atLeast(1), also: ["validation-interval", "val-interval"],
          help: "epochs between validations"),
      ]
    ),
  ]

  static let fields = sections.flatMap(\.fields)

  static func field(_ key: String) -> SettingField? { fields.first { $0.key == key } }

  /// The key that somebody who wrote `key` most likely meant.
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
