/// YOLOv5's hyperparameters: optimizer, loss gains and augmentation. A coding key is the name in YOLOv5's YAML file.
///
/// The presets are those of YOLOv5 6.0: ``scratch`` (the default), ``scratchLow`` and ``scratchHigh``.
public struct DetectionHyperparameters: Codable, Sendable, Equatable {
  // MARK: Optimizer

  /// Initial learning rate.
  public var lr0 = 0.01
  /// Final learning rate as a fraction of ``lr0``.
  public var lrf = 0.1
  /// Momentum of SGD, or β₁ of Adam.
  public var momentum = 0.937
  public var weightDecay = 0.0005
  /// Number of warm-up epochs; fractions are allowed.
  public var warmupEpochs = 3.0
  /// Momentum at the first step of the warm-up.
  public var warmupMomentum = 0.8
  /// Learning rate of the biases at the first step of the warm-up.
  public var warmupBiasLR = 0.1

  // MARK: Loss

  /// Gain of the box loss.
  public var box = 0.05
  /// Gain of the class loss.
  public var cls = 0.5
  /// Weight of positive samples in the class loss.
  public var clsPW = 1.0
  /// Gain of the objectness loss.
  public var obj = 1.0
  /// Weight of positive samples in the objectness loss.
  public var objPW = 1.0
  /// IoU threshold of training; YOLOv5 reads it and never uses it.
  public var iouT = 0.2
  /// Maximum ratio between the sides of an anchor and of an object that it may be matched with.
  public var anchorT = 4.0
  /// Number of anchors per level in YOLOv5's files. Not used: a network keeps its own number, which its head is made for.
  public var anchors: Int?
  /// γ of the focal loss; 0 disables it.
  public var flGamma = 0.0

  // MARK: Augmentation

  /// Maximum relative change of hue, saturation and value.
  public var hsvH = 0.015
  public var hsvS = 0.7
  public var hsvV = 0.4
  /// Maximum rotation in degrees.
  public var degrees = 0.0
  /// Maximum translation as a fraction of the image's sides.
  public var translate = 0.1
  /// Maximum relative change of scale.
  public var scale = 0.5
  /// Maximum shear in degrees.
  public var shear = 0.0
  /// Maximum perspective coefficient per pixel.
  public var perspective = 0.0
  /// Probability of a vertical flip.
  public var flipud = 0.0
  /// Probability of a horizontal flip.
  public var fliplr = 0.5
  /// Probability of a mosaic of four images.
  public var mosaic = 1.0
  /// Probability that a mosaic is blended with a second one.
  public var mixup = 0.0
  /// Fraction of the instances with outlines that are pasted a second time.
  public var copyPaste = 0.0

  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case lr0, lrf, momentum
    case weightDecay = "weight_decay"
    case warmupEpochs = "warmup_epochs"
    case warmupMomentum = "warmup_momentum"
    case warmupBiasLR = "warmup_bias_lr"
    case box, cls
    case clsPW = "cls_pw"
    case obj
    case objPW = "obj_pw"
    case iouT = "iou_t"
    case anchorT = "anchor_t"
    case anchors
    case flGamma = "fl_gamma"
    case hsvH = "hsv_h"
    case hsvS = "hsv_s"
    case hsvV = "hsv_v"
    case degrees, translate, scale, shear, perspective, flipud, fliplr, mosaic, mixup
    case copyPaste = "copy_paste"
  }

  // MARK: Presets

  /// For training from scratch.
  public static let scratch = DetectionHyperparameters()

  /// As ``scratch``, with a final learning rate of 0.0001.
  public static let scratchLow = {
    var low = scratch
    low.lrf = 0.01
    return low
  }()

  /// As ``scratch``, with stronger augmentation, for large models.
  public static let scratchHigh = {
    var high = scratch
    high.lrf = 0.2
    high.cls = 0.3
    high.obj = 0.7
    high.scale = 0.9
    high.mixup = 0.1
    high.copyPaste = 0.1
    return high
  }()

  /// All presets by name: "scratch", "scratch-low", "scratch-high".
  public static let presets: [(name: String, values: DetectionHyperparameters)] = [
    ("scratch", scratch), ("scratch-low", scratchLow), ("scratch-high", scratchHigh),
  ]
}
