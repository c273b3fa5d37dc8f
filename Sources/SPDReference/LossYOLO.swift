import SPD
import SPDCompiler

extension LossOracle {
  /// The YOLOv5 loss of a network with these anchors.
  ///
  /// For the n matches of a level whose cells have N anchors in total:
  ///
  ///     box = 1/n Σ (1 − CIoU)    objectness = balance/N Σ BCE(x₄, t)    classes = 1/(n·C) Σ BCE(x₅₊c, smoothed)
  ///
  /// summed over the levels. t is 0, or max(0, CIoU) of the last match at that position, in single precision and
  /// treated as a constant. The predicted box is (2σ − ½, (2σ)²·anchor) in cells. With one class there is no class
  /// term.
  public struct YOLO: Sendable {
    public var classes: Int
    /// By level and anchor, in cells of the level.
    public var anchors: [[(width: Float, height: Float)]]
    public var rates: Rates
    /// One per level.
    public var balances: [Double]
    /// The level whose balance `autobalance` keeps at 1: that of stride 16.
    public var referenceLevel: Int

    /// - Parameter balances: the reference's for this number of levels if nil.
    public init(
      classes: Int, anchors: [[(width: Float, height: Float)]], rates: Rates = Rates(), balances: [Double]? = nil,
      referenceLevel: Int = 0
    ) {
      self.classes = classes
      self.anchors = anchors
      self.rates = rates
      self.balances = balances ?? YOLOBalances.initial(levels: anchors.count)
      self.referenceLevel = referenceLevel
    }

    /// Gains and options, in the order of `spd_yolo_rates`.
    public struct Rates: Equatable, Sendable {
      public var box = 0.05
      public var objectness = 1.0
      public var classes = 0.5
      public var anchorLimit = 4.0
      public var focalGamma = 0.0
      /// The target of the true class is 1 − ε/2, that of the others ε/2.
      public var labelSmoothing = 0.0
      public var objectnessWeight = 1.0
      public var classWeight = 1.0
      /// Whether each step updates the balances: b ← 0.9999·b + 0.0001 / (mean objectness loss of the level).
      public var autobalance = false

      public init() {}

      /// Scales gains from hyperparameter files, which are meant for three levels, 80 classes and images of 640.
      public func scaled(levels: Int, classes count: Int, imageSize: Int) -> Rates {
        var result = self
        let byLevels = 3 / Double(levels)
        result.box *= byLevels
        result.classes *= Double(count) / 80 * byLevels
        result.objectness *= Double(imageSize * imageSize) / (640 * 640) * byLevels
        return result
      }
    }
  }
}

extension LossOracle.YOLO {
  public struct Result: Sendable {
    /// (box + objectness + classes) · images: the value that is differentiated.
    public var total = 0.0
    /// The three terms, multiplied by their gains.
    public var box = 0.0
    public var objectness = 0.0
    public var classes = 0.0
    /// d total / d logits, by level.
    public var gradient: [Values] = []
    public var matches: [[LossOracle.Match]] = []
    /// The balances for the next step.
    public var balances: [Double] = []
    public var constants = Constants()
  }

  /// Values that the gradient treats as constant although they depend on the logits.
  public struct Constants: Sendable {
    /// α of each match's CIoU, by level.
    public var alphas: [[Double]] = []
    /// The target objectness by level, [image][anchor][row][column].
    public var objectness: [Values] = []
  }

  /// Computes loss and gradient.
  ///
  /// - Parameters:
  ///   - levels: raw logits, each B×A(5+C)×rows×columns; anchor a has box, objectness, classes from channel a(5+C)
  ///     on.
  ///   - constants: from an earlier result, to hold them constant for finite differences.
  public func callAsFunction(_ levels: [Values], _ targets: [LossOracle.Target], constants: Constants? = nil) -> Result
  {
    var result = Result()
    result.balances = balances
    for (level, logits) in levels.enumerated() { add(level, logits, targets, constants, to: &result) }
    let reference = result.balances[referenceLevel]
    if rates.autobalance { result.balances = result.balances.map { $0 / reference } }
    result.total = (result.box + result.objectness + result.classes) * Double(levels[0].shape.batch)
    return result
  }

  private func add(
    _ level: Int, _ logits: Values, _ targets: [LossOracle.Target], _ constants: Constants?, to result: inout Result
  ) {
    let shape = logits.shape
    let anchors = anchors[level]
    let matches = LossOracle.matches(
      targets, anchors: anchors, rows: shape.height, columns: shape.width, limit: Float(rates.anchorLimit))
    var gradient = Values(zeros: shape)
    var wanted = Values(
      zeros: Shape(batch: shape.batch, channels: anchors.count, height: shape.height, width: shape.width))
    var alphas: [Double] = []
    let images = Double(shape.batch)

    let boxGain = rates.box / Double(matches.count)
    let classGain = rates.classes / Double(matches.count * classes)
    for (index, match) in matches.enumerated() {
      let target = targets[match.target]
      let at = (n: target.image, y: match.row, x: match.column)
      let first = match.anchor * (5 + classes)
      let s = (0..<4).map { LossOracle.sigmoid(logits[at.n, first + $0, at.y, at.x]) }
      let anchor = anchors[match.anchor]
      let box = LossOracle.Box(
        2 * s[0] - 0.5, 2 * s[1] - 0.5, 4 * s[2] * s[2] * Double(anchor.width), 4 * s[3] * s[3] * Double(anchor.height))
      let iou = LossOracle.CompleteIoU(box, match.box, alpha: constants?.alphas[level][index])
      alphas.append(iou.alpha)
      result.box += boxGain * (1 - iou.value)
      wanted[at.n, match.anchor, at.y, at.x] = Double(Float(max(0, iou.value)))
      let slopes = [
        iou.slope.x * 2 * s[0] * (1 - s[0]), iou.slope.y * 2 * s[1] * (1 - s[1]),
        iou.slope.width * 2 * box.width * (1 - s[2]), iou.slope.height * 2 * box.height * (1 - s[3]),
      ]
      for k in 0..<4 { gradient[at.n, first + k, at.y, at.x] -= boxGain * images * slopes[k] }
      for c in 0..<(classes > 1 ? classes : 0) {
        let half = rates.labelSmoothing / 2
        let (loss, slope) = LossOracle.binaryCrossEntropy(
          logits[at.n, first + 5 + c, at.y, at.x], target: c == target.label ? 1 - half : half,
          weight: rates.classWeight, gamma: rates.focalGamma)
        result.classes += classGain * loss
        gradient[at.n, first + 5 + c, at.y, at.x] += classGain * images * slope
      }
    }

    wanted = constants?.objectness[level] ?? wanted
    var sum = 0.0
    let mean = 1 / Double(wanted.shape.count)
    for n in 0..<shape.batch {
      for a in anchors.indices {
        for y in 0..<shape.height {
          for x in 0..<shape.width {
            let channel = a * (5 + classes) + 4
            let (loss, slope) = LossOracle.binaryCrossEntropy(
              logits[n, channel, y, x], target: wanted[n, a, y, x], weight: rates.objectnessWeight,
              gamma: rates.focalGamma)
            sum += loss
            gradient[n, channel, y, x] = rates.objectness * balances[level] * mean * images * slope
          }
        }
      }
    }
    result.objectness += rates.objectness * balances[level] * mean * sum
    if rates.autobalance { result.balances[level] = balances[level] * 0.9999 + 0.0001 / (mean * sum) }
    result.gradient.append(gradient)
    result.matches.append(matches)
    result.constants.alphas.append(alphas)
    result.constants.objectness.append(wanted)
  }
}
