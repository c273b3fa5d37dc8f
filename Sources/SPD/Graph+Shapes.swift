/// What is wrong with the shapes at one layer, without where: the caller knows the line.
public struct ShapeError: Error, CustomStringConvertible, Equatable, Sendable {
  public var description: String
  public init(_ description: String) { self.description = description }
}

extension Op {
  /// The shape of the result for inputs of the given shapes.
  ///
  /// - Throws: `ShapeError` if the operation cannot take them.
  public func outputShape(_ inputs: [Shape], parameters: (String) -> Parameter?) throws(ShapeError) -> Shape {
    guard let first = inputs.first else {
      if self == .input { throw ShapeError("the input's shape is given, not inferred") }
      throw ShapeError("\(name) has no input")
    }
    try checkAttributes()
    if let count = inputCount, inputs.count != count {
      throw ShapeError("\(name) reads \(count == 1 ? "one tensor" : "\(count) tensors"), not \(inputs.count)")
    }
    var shape = first
    switch self {
    case .input:
      throw ShapeError("an input reads nothing")
    case .convolution(let op) where op.adjoint != nil:
      throw ShapeError("the gradient of a convolution's input has the shape of what it is written to")
    case .convolution(let op):
      try op.check(first, parameters: parameters)
      shape.channels = op.outputs
      shape.height = try extent(first.height, op.kernel.height, op.stride.height, op.padding.height, op.dilation.height)
      shape.width = try extent(first.width, op.kernel.width, op.stride.width, op.padding.width, op.dilation.width)
      guard shape.height > 0, shape.width > 0 else {
        throw ShapeError(
          "a convolution with kernel \(op.kernel), padding \(op.padding) and dilation \(op.dilation) leaves nothing "
            + "of its input, which is \(first)")
      }
      for activation in op.epilogue.stages.activations {
        try activation.check(channels: shape.channels, parameters: parameters)
      }
      let roles = roles!
      guard inputs.count <= roles.count else {
        throw ShapeError("the convolution reads \(roles.count) tensors, not \(inputs.count)")
      }
      for (index, role) in roles.enumerated().dropFirst() {
        let other = index < inputs.count ? inputs[index] : first
        guard index < inputs.count, other == shape else {
          throw ShapeError(
            role == .start
              ? "its sums start from \(other), but the convolution gives \(shape)"
              : "the residual is \(other), but the convolution gives \(shape)")
        }
      }
    case .batchNorm(let op):
      guard let weight = parameters(op.weight), weight.count == first.channels * op.phases else {
        throw ShapeError(
          "batch normalisation has \(parameters(op.weight)?.count ?? 0) channels, but its input is \(first)")
      }
    case .activation(let activation):
      try activation.check(channels: first.channels, parameters: parameters)
    case .softmax, .copy:
      break
    case .add:
      guard inputs.count == 2, inputs[0] == inputs[1] else {
        throw ShapeError(
          "a sum needs two tensors of one shape, but they are "
            + inputs.map(\.description).joined(separator: " and "))
      }
    case .concat:
      for other in inputs where other.size != first.size || other.batch != first.batch {
        throw ShapeError(
          "concat needs one height and width, but its inputs are "
            + inputs.map(\.description).joined(separator: ", "))
      }
      shape.channels = inputs.reduce(0) { $0 + $1.channels }
    case .slice(let start, let count):
      guard start >= 0, count > 0, start + count <= first.channels else {
        throw ShapeError("a slice of channels \(start)..<\(start + count) is outside of its input, which is \(first)")
      }
      shape.channels = count
    case .spaceToDepth(let op):
      guard first.height % op.scale == 0, first.width % op.scale == 0 else {
        let need = op.scale == 2 ? "an even height and width" : "a height and width divisible by \(op.scale)"
        throw ShapeError("SpaceToDepth(scale: \(op.scale)) needs \(need), but its input is \(first)")
      }
      shape.channels *= op.scale * op.scale
      shape.height /= op.scale
      shape.width /= op.scale
    case .upsample(let factor):
      guard factor >= 1 else { throw ShapeError("an upsampling factor must be 1 or more, not \(factor)") }
      shape.height *= factor
      shape.width *= factor
    case .pool(let op):
      guard op.kernel.height >= 1, op.kernel.width >= 1, op.stride.height >= 1, op.stride.width >= 1,
        op.padding.height >= 0, op.padding.width >= 0,
        op.padding.height * 2 <= op.kernel.height, op.padding.width * 2 <= op.kernel.width
      else {
        throw ShapeError(
          "a pool needs a kernel and stride of 1 or more and a padding of at most half the kernel; it has kernel "
            + "\(op.kernel), stride \(op.stride), padding \(op.padding)")
      }
      shape.height = try extent(first.height, op.kernel.height, op.stride.height, op.padding.height, 1)
      shape.width = try extent(first.width, op.kernel.width, op.stride.width, op.padding.width, 1)
      guard shape.height > 0, shape.width > 0 else {
        throw ShapeError("a pool with kernel \(op.kernel) leaves nothing of its input, which is \(first)")
      }
    case .globalAveragePool:
      shape.height = 1
      shape.width = 1
    case .flatten:
      shape = Shape(batch: first.batch, channels: first.channels * first.height * first.width, height: 1, width: 1)
    case .linear(let op):
      guard first.height == 1, first.width == 1 else {
        throw ShapeError("Linear reads a vector, but its input is \(first): put Flatten() or a pool before it")
      }
      if let weight = parameters(op.weight), weight.shape != [op.outputs, first.channels] {
        throw ShapeError("Linear's weight is \(weight.shape), but its input is \(first)")
      }
      shape.channels = op.outputs
    case .decodeBoxes(let op):
      guard op.classes >= 1, op.anchorsPerLevel >= 1, op.strides.allSatisfy({ $0 >= 1 }) else {
        throw ShapeError("boxes need classes, anchors and strides of 1 or more")
      }
      guard inputs.count == op.strides.count else {
        throw ShapeError("\(op.strides.count) strides, but \(inputs.count) levels")
      }
      var rows = 0
      for level in inputs {
        guard level.channels == op.anchorsPerLevel * (op.classes + 5) else {
          throw ShapeError(
            "a level for \(op.classes) classes needs \(op.anchorsPerLevel * (op.classes + 5)) channels, but it is \(level)"
          )
        }
        rows += op.anchorsPerLevel * level.height * level.width
      }
      shape = Shape(batch: first.batch, channels: 1, height: rows, width: op.classes + 5)
    case .training(let op):
      return try op.outputShape(inputs)
    }
    try shape.checkLimits()
    return shape
  }

  /// How many tensors it reads; nil where that depends on more than the kind of operation, and is checked with it.
  private var inputCount: Int? {
    switch self {
    case .input, .convolution, .add, .concat, .decodeBoxes, .training: nil
    case .batchNorm, .activation, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten, .linear,
      .softmax,
      .copy:
      1
    }
  }

  private func extent(_ size: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int) throws(ShapeError)
    -> Int
  {
    let span = size + 2 * padding - dilation * (kernel - 1) - 1
    return span < 0 ? 0 : span / stride + 1
  }
}

extension Op.Activation {
  fileprivate func check(channels: Int, parameters: (String) -> Parameter?) throws(ShapeError) {
    guard let parameter else { return }
    guard parameters(parameter)?.role == .slope else {
      throw ShapeError(
        "\(name) needs a slope, but \(parameter) is \(parameters(parameter) == nil ? "missing" : "none")")
    }
    let count = parameters(parameter)?.count ?? 0
    guard count == 1 || count == channels else {
      throw ShapeError(
        "\(name) has \(count) values of \(parameter) for \(channels) channels: it needs one, or one for each")
    }
  }
}

extension Op.Convolution {
  fileprivate func check(_ input: Shape, parameters: (String) -> Parameter?) throws(ShapeError) {
    guard kernel.height >= 1, kernel.width >= 1, stride.height >= 1, stride.width >= 1, dilation.height >= 1,
      dilation.width >= 1, padding.height >= 0, padding.width >= 0, groups >= 1, outputs >= 1
    else {
      throw ShapeError(
        "a convolution needs outputs, kernel, stride, dilation and groups of 1 or more and a padding of 0 or more; it "
          + "has \(outputs) outputs, kernel \(kernel), stride \(stride), dilation \(dilation), groups \(groups), "
          + "padding \(padding)")
    }
    guard input.channels % groups == 0, outputs % groups == 0 else {
      throw ShapeError(
        "\(groups) groups do not divide \(input.channels) input and \(outputs) output channels (input \(input))")
    }
    let inputs = totalInputChannels ?? input.channels
    guard groups == 1 || inputs == input.channels && !epilogue.addsAccumulator else {
      throw ShapeError("a part of a convolution's sums cannot have \(groups) groups")
    }
    guard !epilogue.addsAccumulator || parts.allSatisfy({ $0.bias == nil }) else {
      throw ShapeError("its sums start from a tensor, which has the bias already")
    }
    for part in parts {
      let expected = [part.outputs, inputs / groups, kernel.height, kernel.width]
      // A linear layer that became a convolution keeps its two-dimensional weight.
      guard let weight = parameters(part.weight),
        weight.shape == expected || weight.shape == [expected[0], expected[1] * kernel.area]
      else {
        throw ShapeError("\(part.weight) is \(parameters(part.weight)?.shape ?? []), but the layer needs \(expected)")
      }
    }
  }
}
