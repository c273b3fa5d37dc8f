/// Everything that a node of a graph can be: the whole intermediate representation on one screen.
///
/// The model file produces the upper part; the lower part appears only after lowering.
public enum Op: Codable, Hashable, Sendable {
  /// The caller's image, N×C×H×W.
  case input
  /// Two-dimensional convolution, with whatever the passes have folded into it.
  case convolution(Convolution)
  /// Batch normalisation with running statistics: γ·(x − mean)/√(var + ε) + β.
  case batchNorm(BatchNorm)
  case activation(Activation)
  /// Elementwise sum of two tensors of one shape.
  case add
  /// Joins along channels, in the order of the inputs.
  case concat
  /// Channels `first ..< first + count`.
  case slice(first: Int, count: Int)
  /// C×H×W → scale²·C × H/scale × W/scale.
  case spaceToDepth(SpaceToDepth)
  /// Nearest neighbour: each pixel becomes factor × factor pixels.
  case upsample(factor: Int)
  case pool(Pool)
  /// Mean over height and width: C×H×W → C×1×1.
  case globalAveragePool
  /// C×H×W → C·H·W × 1 × 1, in PyTorch's order (row-major).
  case flatten
  /// y = W·x + b, on C×1×1.
  case linear(Linear)
  /// Over channels, for each pixel.
  case softmax
  /// YOLOv5's box decoding of levels that went through the sigmoid.
  case decodeBoxes(DecodeBoxes)

  /// Writes out what its operand's views describe: the copy that remains where an operation cannot read through a view.
  case copy
  /// What differentiation adds.
  case training(Training)
}

extension Op {
  public struct Convolution: Codable, Hashable, Sendable {
    public var kernel: Size2D
    public var stride: Size2D
    public var padding: Size2D
    public var dilation: Size2D
    public var groups: Int
    /// One per convolution that was merged into this one; their outputs follow each other.
    public var parts: [Part]
    /// Input channels of the weights, where the operand shows only some of them: of the others it makes no sums, as if
    /// they were zero. Nil: it shows all. Each segment's `target` is a channel of the weights in either case.
    public var totalInputChannels: Int?
    public var epilogue = Epilogue()
    /// Set in the gradient of another convolution's input.
    public var adjoint: Adjoint?

    public init(kernel: Size2D, stride: Size2D, padding: Size2D, dilation: Size2D, groups: Int, parts: [Part]) {
      self.kernel = kernel
      self.stride = stride
      self.padding = padding
      self.dilation = dilation
      self.groups = groups
      self.parts = parts
    }

    public var outputs: Int { parts.reduce(0) { $0 + $1.outputs } }

    /// Parameters of one convolution: weight (outputs, inputs / groups, height, width), bias (outputs).
    public struct Part: Codable, Hashable, Sendable {
      public var outputs: Int
      public var weight: String
      public var bias: String?
      /// Folded into weight and bias when they are packed: W·γ/√(var + ε), β + (b − mean)·γ/√(var + ε).
      public var batchNorm: BatchNorm?

      public init(outputs: Int, weight: String, bias: String?) {
        self.outputs = outputs
        self.weight = weight
        self.bias = bias
      }
    }
  }

  /// What happens to the sums x of a convolution before they are stored.
  public struct Epilogue: Codable, Hashable, Sendable {
    /// The node's operand `start`, a tensor of the result's shape, is where the sums start, in place of the bias. Parts then
    /// have no bias, and their normalisations only scale: x = (W·γ/√(var + ε)) ∗ input.
    public var addsAccumulator = false
    public var stages: [Stage] = []

    public init() {}
    public var isEmpty: Bool { self == Epilogue() }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: StageKey.self)
      addsAccumulator =
        try values.decodeIfPresent(Bool.self, forKey: .addsAccumulator)
        ?? values.decodeIfPresent(Bool.self, forKey: .addsStart) ?? false
      stages = try [Stage](from: values)
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: StageKey.self)
      try values.encode(addsAccumulator, forKey: .addsAccumulator)
      try stages.encode(to: &values)
      try values.encode(stages.gathersStatistics, forKey: .gathersStatistics)
    }
  }

  public struct BatchNorm: Codable, Hashable, Sendable {
    /// Parameter names of γ, β, mean and variance, each one value per channel.
    public var weight: String
    public var bias: String
    public var runningMean: String
    public var runningVariance: String
    public var epsilon: Double
    /// PyTorch's: new = (1 − momentum)·old + momentum·batch. Only training uses it.
    public var momentum: Double
    /// Set when the normalisation was hoisted over this space-to-depth, which now follows it: it then has scale²·C channels, and which
    /// one applies depends on the phase of the pixel.
    public var enclosing: SpaceToDepth?

    public init(
      weight: String, bias: String, runningMean: String, runningVariance: String, epsilon: Double, momentum: Double
    ) {
      self.weight = weight
      self.bias = bias
      self.runningMean = runningMean
      self.runningVariance = runningVariance
      self.epsilon = epsilon
      self.momentum = momentum
    }

    private enum CodingKeys: String, CodingKey {
      case weight, bias, runningMean, runningVariance, epsilon, momentum, enclosing
      /// As graph files of earlier versions call `enclosing`.
      case behind
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      weight = try values.decode(String.self, forKey: .weight)
      bias = try values.decode(String.self, forKey: .bias)
      runningMean = try values.decode(String.self, forKey: .runningMean)
      runningVariance = try values.decode(String.self, forKey: .runningVariance)
      epsilon = try values.decode(Double.self, forKey: .epsilon)
      momentum = try values.decode(Double.self, forKey: .momentum)
      enclosing =
        try values.decodeIfPresent(SpaceToDepth.self, forKey: .enclosing)
        ?? values.decodeIfPresent(SpaceToDepth.self, forKey: .behind)
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: CodingKeys.self)
      try values.encode(weight, forKey: .weight)
      try values.encode(bias, forKey: .bias)
      try values.encode(runningMean, forKey: .runningMean)
      try values.encode(runningVariance, forKey: .runningVariance)
      try values.encode(epsilon, forKey: .epsilon)
      try values.encode(momentum, forKey: .momentum)
      try values.encodeIfPresent(enclosing, forKey: .enclosing)
    }
  }

  public struct SpaceToDepth: Codable, Hashable, Sendable {
    public var scale: Int
    public var order: Order

    public init(scale: Int, order: Order) {
      self.scale = scale
      self.order = order
    }

    /// Which output channel the value of input channel c at row phase r and column phase q becomes.
    public enum Order: String, Codable, Hashable, Sendable, CaseIterable {
      /// (r + scale·q)·C + c: the paper's, also YOLOv5's Focus.
      case paper
      /// (scale·r + q)·C + c: ONNX and TensorFlow.
      case onnx
      /// c·scale² + scale·r + q: PyTorch's PixelUnshuffle.
      case pixelUnshuffle
    }

    /// Output channels of one phase as an arithmetic sequence over the input channels: first + c·stride.
    public func outputChannels(rowPhase r: Int, columnPhase q: Int, of channels: Int) -> (first: Int, stride: Int) {
      switch order {
      case .paper: ((r + scale * q) * channels, 1)
      case .onnx: ((scale * r + q) * channels, 1)
      case .pixelUnshuffle: (scale * r + q, scale * scale)
      }
    }

    /// Phases in the order in which consumers read them: by first output channel.
    public var phases: [(row: Int, column: Int)] {
      switch order {
      case .paper: (0..<scale * scale).map { ($0 % scale, $0 / scale) }
      case .onnx, .pixelUnshuffle: (0..<scale * scale).map { ($0 / scale, $0 % scale) }
      }
    }
  }

  public struct Pool: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable {
      /// Padding counts as −∞.
      case max
      /// Padding counts as zero, and is counted (PyTorch's `count_include_pad=True`).
      case average
    }
    public var kind: Kind
    public var kernel: Size2D
    public var stride: Size2D
    public var padding: Size2D

    public init(kind: Kind, kernel: Size2D, stride: Size2D, padding: Size2D) {
      self.kind = kind
      self.kernel = kernel
      self.stride = stride
      self.padding = padding
    }
  }

  public struct Linear: Codable, Hashable, Sendable {
    public var outputs: Int
    /// (outputs, inputs)
    public var weight: String
    public var bias: String?

    public init(outputs: Int, weight: String, bias: String?) {
      self.outputs = outputs
      self.weight = weight
      self.bias = bias
    }
  }

  /// Boxes from s = σ(raw), one level per input; anchors A in units of the level's stride S, cell (gx, gy):
  /// x = (2s₀ − ½ + gx)·S, y likewise, w = (2s₂)²·A·S, h likewise, then objectness and class scores.
  ///
  /// Result: N × rows × (5 + classes), stored as the shape N×1×rows×(5 + classes); rows are level-major, then anchor,
  /// then y, then x.
  public struct DecodeBoxes: Codable, Hashable, Sendable {
    public var classes: Int
    public var anchorsPerLevel: Int
    /// Parameter (levels, anchors, 2): widths and heights divided by the level's stride.
    public var anchors: String
    /// Pixels of the image per cell, one per level.
    public var strides: [Int]

    public init(classes: Int, anchorsPerLevel: Int, anchors: String, strides: [Int]) {
      self.classes = classes
      self.anchorsPerLevel = anchorsPerLevel
      self.anchors = anchors
      self.strides = strides
    }
  }
}
