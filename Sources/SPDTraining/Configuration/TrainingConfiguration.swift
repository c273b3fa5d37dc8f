/// Everything that decides what a training run computes, and how it is fed and saved.
///
/// The same value is a preset, the effective configuration in the run's folder, and part of every checkpoint. What a
/// setting is called in files and on the command line, and which values it takes, is in `SettingTable`.
public struct TrainingConfiguration: Codable, Equatable, Sendable {
  /// The preset that the other values started from.
  public var preset: String
  /// A shipped model's name, or the path of a model file.
  public var model: String
  /// The data set: a folder, or a name that the command knows. Empty where it has not been said.
  public var data = ""
  /// Of class folders without `train` and `val`: the part of every class that is kept for validation.
  public var validationFraction = 0.1
  /// As many images of the training set are used, drawn by the seed, and at most as many for validation; 0: all.
  public var limit = 0
  /// Outputs of the network; nil: as many as the data set has classes.
  public var classes: Int?
  /// The side of the square images in pixels; nil: the data set's own.
  public var imageSize: Int?
  /// Of the initial weights, the order of the samples and their augmentation.
  public var seed: UInt64 = 0
  /// How often the training set is gone through.
  public var epochs = 200
  /// Images in one step.
  public var batch = 128
  /// Threads that compute; 0: one for each core.
  public var threads = 0
  /// Threads that read and augment images.
  public var loaderThreads = 1
  /// Megabytes that a step may hold of what it computes, and of gradients that wait for their update; convolutions are computed again on the way back until it fits.
  /// Nil: whatever is fastest.
  public var maxArena: Double?

  public var optimizer = OptimizerConfiguration()
  public var schedule = ScheduleConfiguration()

  /// ε of the targets 1 − ε + ε / classes for the true class and ε / classes for the others.
  public var labelSmoothing = 0.0
  /// The moving average of the weights.
  public var average = AverageConfiguration()
  /// The gradients' L2 norm, over all parameters, is scaled down to this; 0: left as it is.
  public var clip = 0.0
  /// Batches whose gradients are summed before the optimiser steps.
  public var accumulate = 1

  public var augmentation = AugmentationConfiguration()

  /// A broken image ends the run; otherwise it is named and left out.
  public var strict: Bool {
    get { strictOrNone ?? false }
    set { strictOrNone = newValue }
  }
  /// Nil in checkpoints of versions without it.
  private var strictOrNone: Bool? = false

  /// Epochs from one kept checkpoint to the next; 0: only the last and the best are kept.
  public var saveEvery = 0
  /// Iterations from one checkpoint `last` to the next, beside those at the ends of epochs; 0: none.
  public var saveIterations: Int {
    get { saveIterationsOrNone ?? 0 }
    set { saveIterationsOrNone = newValue }
  }
  /// Nil in checkpoints of versions without it.
  private var saveIterationsOrNone: Int? = 0
  /// Epochs from one validation to the next. The last epoch is always validated.
  public var validateEvery = 1

  public init(preset: String, model: String) {
    self.preset = preset
    self.model = model
  }
}

/// How a gradient changes a parameter.
public struct OptimizerConfiguration: Codable, Equatable, Sendable {
  public enum Method: String, Codable, CaseIterable, Sendable { case sgd, adam, adamw }

  /// Which parameters the weight decay pulls towards zero.
  public enum Decay: String, Codable, CaseIterable, Sendable {
    /// Every one, as one parameter group of PyTorch does.
    case all
    /// Those of convolutions and linear layers, not the biases nor BatchNorm's scales and shifts.
    case weights
  }

  public var method = Method.sgd
  /// The base rate, which the schedule multiplies.
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

/// How the learning rate goes over the epochs: `LearningRateSchedule` has the formulas.
public struct ScheduleConfiguration: Codable, Equatable, Sendable {
  public enum Shape: String, Codable, CaseIterable, Sendable { case constant, step, cosine, linear }

  public var shape = Shape.step
  /// Epochs over which the rate rises from zero, a little with every iteration.
  public var warmupEpochs = 1
  /// `step`: the epochs, counted from 1, from which on the rate is multiplied once more.
  public var milestones = [60, 120, 160]
  /// `step`: the factor of each milestone.
  public var decayFactor = 0.2
  /// `cosine` and `linear`: where the rate ends, as a part of the base rate.
  public var finalFactor = 0.01

  public init() {}
}

/// An exponential moving average of the weights: e ← d·e + (1 − d)·w after every step of the optimiser.
public struct AverageConfiguration: Codable, Equatable, Sendable {
  /// What d approaches; 0: no average is kept.
  public var decay = 0.0
  /// The number of steps in which d has come 63 % of its way, so that a young average follows quickly; 0: at once.
  public var ramp = 2000.0

  public init() {}

  public var isOn: Bool { decay > 0 }
}

/// What is done to an image before the network sees it. Only the normalisation applies to validation.
public struct AugmentationConfiguration: Codable, Equatable, Sendable {
  /// The values of a black and a white pixel before the normalisation.
  public enum ValueRange: String, Codable, CaseIterable, Sendable {
    case unit = "0-1"
    case byte = "0-255"
  }

  /// Probability that an image is mirrored left to right.
  public var flipHorizontal = 0.5
  /// Probability that an image is mirrored top to bottom.
  public var flipVertical = 0.0
  /// Zeros on each side, in pixels, out of which an image of the old size is cut at random.
  public var cropPadding = 4
  /// Largest angle, in degrees, of a random rotation in either direction.
  public var rotation = 0.0
  /// Of red, green and blue, in the units of `valueRange`: subtracted.
  public var mean = [0.5, 0.5, 0.5]
  /// Of red, green and blue, in the units of `valueRange`: divided by.
  public var standardDeviation = [0.25, 0.25, 0.25]
  public var valueRange = ValueRange.unit

  public init() {}
}
