/// All settings of a training run.
///
/// The type serves as preset, as effective configuration in the run's folder, and as part of every checkpoint.
/// `SettingTable` has the keys for files and the command line, and the valid values.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  /// The preset that provided the defaults.
  public var preset: String
  /// A shipped model's name, or the path of a model file.
  public var model: String
  /// The data set: a folder, or a name known to the command; empty if not set.
  public var data = ""
  /// Validation fraction of each class, for class folders without `train` and `val`.
  public var validationFraction = 0.1
  /// Maximum number of images, drawn with the seed, for training and for validation each; 0: all.
  public var limit = 0
  /// Number of outputs of the network; nil: the data set's number of classes.
  public var classes: Int?
  /// Side of the square input images in pixels; nil: the data set's.
  public var imageSize: Int?
  /// Random seed for initialisation, shuffling and augmentation.
  public var seed: UInt64 = 0
  /// Number of passes over the training set.
  public var epochs = 200
  /// Batch size.
  public var batch = 128
  /// Number of OpenMP threads; 0: what affinity, CPU quota and OMP_NUM_THREADS allow.
  public var threads = 0
  /// Number of threads that read and augment images.
  public var loaderThreads = 1
  /// Maximum arena of a training step in megabytes, reached by recomputing convolutions in the backward pass. The arena
  /// includes gradients if parameters are updated in the backward pass. Nil: unlimited.
  public var maxArena: Double?

  public var optimizer = OptimizerConfiguration()
  public var schedule = ScheduleConfiguration()

  /// ε of the targets 1 − ε + ε / classes for the true class and ε / classes for the others.
  public var labelSmoothing = 0.0
  /// EMA of the weights.
  public var average = AverageConfiguration()
  /// Maximum L2 norm of the gradients over all parameters; 0: no clipping.
  public var clip = 0.0
  /// Number of mini-batches per optimiser step (gradient accumulation).
  public var accumulate = 1
  /// Batch size that the optimiser is set for, as in YOLOv5: gradients of max(round(nominal / batch), 1) mini-batches are
  /// summed, not averaged, and the weight decay is multiplied by batch · mini-batches / nominal. Nil: `accumulate` counts.
  public var nominalBatch: Int?
  /// Number of epochs without a better validation metric after which the run ends; nil: never.
  public var patience: Int?
  /// Number of leading layers (`model.0` …) whose parameters stay as they are; nil: none.
  public var freeze: Int?

  public var augmentation = AugmentationConfiguration()

  /// Whether a broken image is an error; otherwise it is reported and skipped.
  public var strict: Bool {
    get { strictOrNone ?? false }
    set { strictOrNone = newValue }
  }
  /// Nil in checkpoints of versions without it.
  private var strictOrNone: Bool? = false

  /// Number of epochs between kept checkpoints; 0: only the last and the best are kept.
  public var saveEvery = 0
  /// Number of iterations between writes of the checkpoint `last` within an epoch; 0: only after epochs.
  public var saveIterations: Int {
    get { saveIterationsOrNone ?? 0 }
    set { saveIterationsOrNone = newValue }
  }
  /// Nil in checkpoints of versions without it.
  private var saveIterationsOrNone: Int? = 0
  /// Number of epochs between validations. The last epoch is always validated.
  public var validateEvery = 1

  /// Nil unless a detector is trained.
  var detectionOrNone: DetectionConfiguration?

  public init(preset: String, model: String) {
    self.preset = preset
    self.model = model
  }
}

/// Settings of the optimiser.
public struct OptimizerConfiguration: Codable, Equatable, Sendable {
  public enum Method: String, Codable, CaseIterable, Sendable { case sgd, adam, adamw }

  /// The parameters with weight decay.
  public enum Decay: String, Codable, CaseIterable, Sendable {
    /// All parameters, as with a single parameter group in PyTorch.
    case all
    /// Weights of convolutions and linear layers, but not biases or BatchNorm parameters.
    case weights
  }

  public var method = Method.sgd
  /// Base learning rate, multiplied by the schedule.
  public var learningRate = 0.1
  /// μ of SGD, v ← μv + g; β₁ of Adam.
  public var momentum = 0.9
  /// β₂ of Adam.
  public var beta2 = 0.999
  /// ε of Adam.
  public var epsilon = 1e-8
  /// Whether SGD steps along g + μv instead of v.
  public var nesterov = false
  public var weightDecay = 5e-4
  public var decay = Decay.all

  public init() {}
}

/// Settings of the learning rate schedule; `LearningRateSchedule` has the formulas.
public struct ScheduleConfiguration: Codable, Equatable, Sendable {
  public enum Shape: String, Codable, CaseIterable, Sendable { case constant, step, cosine, linear }

  public var shape = Shape.step
  /// Number of epochs of linear warm-up from zero, updated per iteration.
  public var warmupEpochs = 1
  /// `step`: epochs, counted from 1, at which the rate decays.
  public var milestones = [60, 120, 160]
  /// `step`: decay factor at each milestone.
  public var decayFactor = 0.2
  /// `cosine` and `linear`: final rate as a fraction of the base rate.
  public var finalFactor = 0.01
  /// Minimum length of the warm-up in iterations. If set, the warm-up is YOLOv5's: see `LearningRateSchedule`.
  public var warmupIterations: Int?
  /// Momentum at the start of the warm-up; nil: that of the optimiser.
  public var warmupMomentum: Double?
  /// Learning rate of biases at the start of the warm-up, from which it falls; nil: 0, as for other parameters.
  public var warmupBiasRate: Double?

  public init() {}
}

/// Settings of the weights' EMA: e ← d·e + (1 − d)·w after every optimiser step.
public struct AverageConfiguration: Codable, Equatable, Sendable {
  /// The limit of d; 0: no EMA.
  public var decay = 0.0
  /// Time constant of d's ramp in steps, so that the EMA follows quickly at first; 0: no ramp.
  public var ramp = 2000.0

  public init() {}

  public var isOn: Bool { decay > 0 }
}

/// Settings of augmentation and normalisation. Only normalisation applies to validation.
public struct AugmentationConfiguration: Codable, Equatable, Sendable {
  /// The values of a black and a white pixel before the normalisation.
  public enum ValueRange: String, Codable, CaseIterable, Sendable {
    case unit = "0-1"
    case byte = "0-255"
  }

  /// Probability of a horizontal flip.
  public var flipHorizontal = 0.5
  /// Probability of a vertical flip.
  public var flipVertical = 0.0
  /// Zero padding on each side in pixels before a random crop of the original size.
  public var cropPadding = 4
  /// Maximum angle of a random rotation in either direction, in degrees.
  public var rotation = 0.0
  /// Mean of red, green and blue in units of `valueRange`.
  public var mean = [0.5, 0.5, 0.5]
  /// Standard deviation of red, green and blue in units of `valueRange`.
  public var standardDeviation = [0.25, 0.25, 0.25]
  public var valueRange = ValueRange.unit

  public init() {}
}
