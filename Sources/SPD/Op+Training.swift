extension Op {
  /// What only a training graph contains: forward with the statistics of the batch, a loss, and the backward pass.
  ///
  /// The gradient of a node's result is a node of its own, `gradient`, which is memory and no operation: the nodes after
  /// it write into views of it (`Node.destinations`), the first by storing and the others by adding, in graph order. So a
  /// gradient flows through a reindexing as the result did, by address.
  public enum Training: Codable, Hashable, Sendable {
    /// Mean and 1/√(variance + ε) of each channel over batch, rows and columns; updates the running statistics.
    /// Where the normalisation was hoisted over a space-to-depth, of each phase of a channel. Result: 4·phases × C × 1 × 1: for each phase the mean, then
    /// 1/√(variance + ε), then what kernels derive from them.
    case statistics(BatchNorm)
    /// y = stages(γ·(z − mean)·rstd + β). Reads z, the statistics and a summand.
    case normalize(Normalize)
    /// The loss, and its gradient with respect to each of its inputs.
    case loss(Loss)
    /// Where the gradient of a node's result is summed up.
    case gradient(of: Node.ID, isCleared: Bool)
    /// The gradient of a convolution's weight, and bias if it has one. Reads the convolution's input and the gradient of
    /// its result; parameters' gradients are no results of nodes.
    case weightGradient(Convolution)
    /// With g the gradient after the normalisation, Σg and Σg·x̂ of each channel, which are those of β and γ. Reads the
    /// gradient of y, then z, the statistics and, if there is a final activation, y. Result: as the statistics.
    case batchNormBackwardReduce(Normalize)
    /// The gradient of z, and of the residual. Reads the gradient of y, then z, the statistics and the sums if it
    /// normalises, and y if there is a final activation.
    case normalizeGradient(Normalize)
    /// The gradient of an activation that has a parameter, of its argument and of the parameter. Reads the gradient of the
    /// result, then the argument.
    case activationGradient(Activation)
    /// Reads the gradient of the result, then the input and the result.
    case poolGradient(Pool)
    case globalAverageGradient
    /// Adds up what a copy read from each place.
    case copyGradient
  }

  /// A batch normalisation with the statistics of the batch, if there is one, and what follows it: an activation, a sum, a ReLU.
  public struct Normalize: Codable, Hashable, Sendable {
    public var norm: BatchNorm?
    public var stages: [Stage]

    public init(norm: BatchNorm? = nil, stages: [Stage] = []) {
      self.norm = norm
      self.stages = stages
    }

    public init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: StageKey.self)
      norm = try values.decodeIfPresent(BatchNorm.self, forKey: .norm)
      stages = try [Stage](from: values)
    }

    public func encode(to encoder: any Encoder) throws {
      var values = encoder.container(keyedBy: StageKey.self)
      try values.encodeIfPresent(norm, forKey: .norm)
      try stages.encode(to: &values)
    }
  }

  public enum Loss: Codable, Hashable, Sendable {
    /// −Σ target·log softmax(logits), the mean over the batch; logits are C×1×1.
    case crossEntropy
    /// YOLOv5's: boxes by CIoU, objectness and classes by binary cross-entropy; reads one raw level per input.
    case yolo(DecodeBoxes)
    /// As the model file composes it; reads the network's result.
    case composed(LossExpression)
  }
}

extension Op {
  /// Where the forward pass ends and the backward pass begins.
  public var isLoss: Bool { if case .training(.loss) = self { true } else { false } }
}

extension Op.Convolution {
  /// Makes a convolution the gradient of another one's input: it reads the gradient of the result, with the other's weight
  /// W[o][i][ky][kx] turned round, W'[i][o][ky'][kx'] = W[o][i][rows[ky']][columns[kx']].
  ///
  /// Its kernel is rows × columns. With a stride s forwards, the inputs of each phase modulo s are such a convolution of
  /// stride 1, over every s-th tap; with an input that is upsampled by f, one whose stride is f and whose taps are the same
  /// f × f times, which sums over the copies.
  public struct Adjoint: Codable, Hashable, Sendable {
    public var rows: [Int]
    public var columns: [Int]
    /// The shape of W: (outputs, inputs, kernel height, kernel width).
    public var outputs: Int
    public var inputs: Int
    public var kernel: Size2D
    /// Inputs of W that are the result here, run by run; each run begins a block of 16 channels of the result.
    public var runs: [Run]

    public init(rows: [Int], columns: [Int], outputs: Int, inputs: Int, kernel: Size2D, runs: [Run]) {
      self.rows = rows
      self.columns = columns
      self.outputs = outputs
      self.inputs = inputs
      self.kernel = kernel
      self.runs = runs
    }

    /// Inputs first, first + stride, …
    public struct Run: Codable, Hashable, Sendable {
      public var first: Int
      public var stride: Int
      public var count: Int

      public init(first: Int, stride: Int, count: Int) {
        self.first = first
        self.stride = stride
        self.count = count
      }

      /// Channels of the result: whole blocks.
      public var padded: Int { (count + 15) / 16 * 16 }
    }

    /// For each channel of the result the input of W, or nil where it is padding.
    public var channels: [Int?] {
      runs.flatMap { run in (0..<run.padded).map { $0 < run.count ? run.first + $0 * run.stride : nil } }
    }
  }
}

/// Views of gradients that a node writes instead of a result of its own.
///
/// The node's result, if it is a convolution's, has one run of whole blocks of 16 channels for each segment, in their
/// order; that of others is what the segments show.
public struct Destination: Codable, Hashable, Sendable {
  public var segments: [Segment]
  /// False: what is there is replaced.
  public var adds: Bool

  public init(segments: [Segment], adds: Bool = true) {
    self.segments = segments
    self.adds = adds
  }
}
