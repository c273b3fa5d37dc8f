/// Two-dimensional convolution, as PyTorch's `Conv2d`: C×H×W → outputs × ⌊(H + 2p − d(k−1) − 1)/s⌋ + 1 × ….
public struct Conv2D: Layer {
  public var site: Site
  let outputs: Int
  let kernel: Size2D
  let stride: Size2D
  let padding: Size2D
  let dilation: Size2D
  let groups: Int
  let bias: Bool

  /// - Parameter padding: zeros on each side; by default what keeps the size at stride 1 (half the dilated kernel).
  public init(
    _ outputs: Int, kernel: Size2D, stride: Size2D = 1, padding: Size2D? = nil, dilation: Size2D = 1, groups: Int = 1,
    bias: Bool = true, file: String = #fileID, line: Int = #line
  ) {
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.padding =
      padding
      ?? Size2D(Self.half(kernel.height, dilation.height), Self.half(kernel.width, dilation.width))
    self.dilation = dilation
    self.groups = groups
    self.bias = bias
    site = Site(file, line)
  }

  /// Half of a kernel's reach; what is too large is refused when the layer is called.
  private static func half(_ kernel: Int, _ dilation: Int) -> Int { dilation.saturatingProduct(max(kernel, 1) - 1) / 2 }

  public func forward(_ x: Tensor) -> Tensor {
    // At least one, so that groups that do not divide the channels are named as what is wrong.
    let inputs = max(x.shape.channels / max(groups, 1), 1)
    let weight = x.builder.parameter("weight", [outputs, inputs, kernel.height, kernel.width], .weight)
    let bias = bias ? x.builder.parameter("bias", [outputs], .bias) : nil
    let op = Op.Convolution(
      kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups,
      parts: [Op.Convolution.Part(outputs: outputs, weight: weight, bias: bias)])
    return x.builder.append(.convolution(op), [x])
  }
}

/// Batch normalisation over channels, as PyTorch's `BatchNorm2d`.
public struct BatchNorm: Layer {
  public var site: Site
  let epsilon: Double
  let momentum: Double

  public init(epsilon: Double = 1e-5, momentum: Double = 0.1, file: String = #fileID, line: Int = #line) {
    self.epsilon = epsilon
    self.momentum = momentum
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let channels = [x.shape.channels]
    let builder = x.builder
    let op = Op.BatchNorm(
      weight: builder.parameter("weight", channels, .normWeight),
      bias: builder.parameter("bias", channels, .normBias),
      runningMean: builder.parameter("running_mean", channels, .runningMean),
      runningVariance: builder.parameter("running_var", channels, .runningVariance),
      epsilon: epsilon, momentum: momentum)
    _ = builder.parameter("num_batches_tracked", [], .batchesTracked)
    return builder.append(.batchNorm(op), [x])
  }
}

/// y = W·x + b for C×1×1; weight (outputs, C).
public struct Linear: Layer {
  public var site: Site
  let outputs: Int
  let bias: Bool

  public init(_ outputs: Int, bias: Bool = true, file: String = #fileID, line: Int = #line) {
    self.outputs = outputs
    self.bias = bias
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor {
    let weight = x.builder.parameter("weight", [outputs, x.shape.channels], .weight)
    let bias = bias ? x.builder.parameter("bias", [outputs], .bias) : nil
    return x.builder.append(.linear(Op.Linear(outputs: outputs, weight: weight, bias: bias)), [x])
  }
}

/// Space-to-depth, the paper's replacement of a stride (section 3.1): C×H×W → scale²·C × H/scale × W/scale.
///
/// Every scale-th row and column from phase (r, q) becomes C channels of their own; nothing is lost. `order` says which
/// channels, so that weights trained elsewhere fit: see `Op.SpaceToDepth.Order`.
public struct SpaceToDepth: Layer {
  public var site: Site
  let op: Op.SpaceToDepth

  public init(
    scale: Int = 2, order: Op.SpaceToDepth.Order = .paper, file: String = #fileID, line: Int = #line
  ) {
    op = Op.SpaceToDepth(scale: scale, order: order)
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor { x.builder.append(.spaceToDepth(op), [x]) }
}

/// Largest value under the kernel; padding counts as −∞.
public struct MaxPool: Layer {
  public var site: Site
  let op: Op.Pool

  /// - Parameter stride: by default the kernel, as in PyTorch.
  public init(
    _ kernel: Size2D, stride: Size2D? = nil, padding: Size2D = 0, file: String = #fileID, line: Int = #line
  ) {
    op = Op.Pool(kind: .max, kernel: kernel, stride: stride ?? kernel, padding: padding)
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor { x.builder.append(.pool(op), [x]) }
}

/// Mean under the kernel; padding counts as zeros (PyTorch's default).
public struct AveragePool: Layer {
  public var site: Site
  let op: Op.Pool

  /// - Parameter stride: by default the kernel, as in PyTorch.
  public init(
    _ kernel: Size2D, stride: Size2D? = nil, padding: Size2D = 0, file: String = #fileID, line: Int = #line
  ) {
    op = Op.Pool(kind: .average, kernel: kernel, stride: stride ?? kernel, padding: padding)
    site = Site(file, line)
  }

  public func forward(_ x: Tensor) -> Tensor { x.builder.append(.pool(op), [x]) }
}
