extension Op {
  /// Checks the numbers of the operation itself, before any arithmetic on them: sizes against `GraphLimits`, all others to be
  /// finite.
  func checkAttributes() throws(ShapeError) {
    switch self {
    case .input, .add, .concat, .globalAveragePool, .flatten, .softmax, .copy: break
    case .convolution(let op): try op.checkAttributes()
    case .batchNorm(let norm): try norm.checkAttributes()
    case .activation(let activation): try activation.checkAttributes()
    case .slice(let first, let count): try limit("a slice", [first, count], to: GraphLimits.extent)
    case .spaceToDepth(let op): try op.checkAttributes()
    case .upsample(let factor): try limit("an upsampling factor", [factor], to: GraphLimits.kernel)
    case .pool(let op):
      try limit("a pool's kernel", op.kernel)
      try limit("a pool's stride", op.stride)
      try limit("a pool's padding", op.padding)
    case .linear(let op): try limitOutputs([op.outputs])
    case .decodeBoxes(let op):
      try limit("the number of classes", [op.classes], to: GraphLimits.extent)
      try limit("anchors for each level", [op.anchorsPerLevel], to: GraphLimits.kernel)
      try limit("a stride of boxes", op.strides, to: GraphLimits.extent)
    case .training: break  // Made by passes alone.
    }
  }
}

private func limit(_ what: String, _ values: [Int], to limit: Int) throws(ShapeError) {
  if let value = values.first(where: { $0 > limit || $0 < -limit }) {
    throw ShapeError("\(what) is \(value): there is code for \(limit) at most")
  }
}

private func limit(_ what: String, _ size: Size2D) throws(ShapeError) {
  try limit(what, [size.height, size.width], to: GraphLimits.kernel)
}

private func limitOutputs(_ outputs: [Int]) throws(ShapeError) {
  guard !outputs.isEmpty, outputs.allSatisfy((1...GraphLimits.extent).contains) else {
    let counts = outputs.map(String.init).joined(separator: " and ")
    throw ShapeError("a layer has 1 to \(GraphLimits.extent) outputs, not \(counts.isEmpty ? "none" : counts)")
  }
}

extension Op.Convolution {
  fileprivate func checkAttributes() throws(ShapeError) {
    try limitOutputs(parts.map(\.outputs))
    try limit("a convolution's kernel", kernel)
    try limit("a convolution's stride", stride)
    try limit("a convolution's padding", padding)
    try limit("a convolution's dilation", dilation)
    let span = Size2D(dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1)
    try limit("a convolution's kernel with its dilation", span)
    try limit("the number of groups", [groups], to: GraphLimits.extent)
    if let totalInputChannels {
      try limit("the number of input channels", [totalInputChannels], to: GraphLimits.extent)
    }
    for part in parts { try part.batchNorm?.checkAttributes(isByPhase: false) }
    if let norm = epilogue.stages.phaseNorm { try norm.checkAttributes(isByPhase: true) }
    for activation in epilogue.stages.activations { try activation.checkAttributes() }
    let hasTable = epilogue.stages.phaseNorm != nil || epilogue.stages.activations.contains { $0.parameter != nil }
    guard groups == 1 || parts.count == 1 && !hasTable else {
      throw ShapeError(
        "a convolution with \(groups) groups has one part, no normalisation by phase and no learned activation")
    }
  }
}

extension Op.BatchNorm {
  /// - Parameter isByPhase: what its place demands; nil: either will do.
  fileprivate func checkAttributes(isByPhase: Bool? = nil) throws(ShapeError) {
    guard epsilon.isFinite, epsilon >= 0 else {
      throw ShapeError("batch normalisation needs a finite epsilon of 0 or more, not \(epsilon)")
    }
    guard momentum >= 0, momentum <= 1 else {
      throw ShapeError("batch normalisation needs a momentum from 0 to 1, not \(momentum)")
    }
    try enclosing?.checkAttributes()
    if let isByPhase, isByPhase != (enclosing != nil) {
      throw ShapeError(
        isByPhase
          ? "a normalisation by phase names no space-to-depth" : "a normalisation by phase is no part of weights")
    }
  }
}

extension Op.Activation {
  fileprivate func checkAttributes() throws(ShapeError) {
    for (constant, value) in zip(constantNames, constants) where !Float(value).isFinite {
      throw ShapeError("\(name) needs a finite \(constant), not \(value)")
    }
    let letters = Set("abcdefghijklmnopqrstuvwxyz")
    guard let first = name.first, letters.contains(first), name.utf8.count <= GraphLimits.activationName,
      name.allSatisfy({ letters.contains($0) || "0123456789_".contains($0) })
    else {
      throw ShapeError(
        "an activation is called by at most \(GraphLimits.activationName) letters a to z, digits and underscores, the "
          + "first a letter, not \"\(name)\"")
    }
    guard formula.isWellFormed else {
      throw ShapeError(
        "the formula of \(name) is malformed: a term reads terms before it, constants are finite, and the result is a term"
      )
    }
    guard formula.terms.count <= GraphLimits.activationTerms else {
      throw ShapeError(
        "\(name) has \(formula.terms.count) terms: there is code for \(GraphLimits.activationTerms) at most")
    }
    for term in formula.terms {
      switch term {
      case .target where parameter != nil: continue
      case .target: throw ShapeError("the formula of \(name) reads a parameter, which \(name) does not have")
      case .reduction:
        throw ShapeError("\(name) reads more than one number: an activation has no channelSum, softmax or logSoftmax")
      case .output, .constant, .function, .operation: continue
      }
    }
    guard formula.closure(of: [formula.result]).contains(where: { formula.terms[$0] == .output }) else {
      throw ShapeError("\(name) does not depend on its argument")
    }
    // Channels that fill the last block are 0, and what comes of them meets weights that are 0.
    guard Float(formula.evaluate(0)).isFinite else {
      throw ShapeError("\(name) is \(formula.evaluate(0)) at 0, which padding is: it must be finite there")
    }
  }
}

extension Op.SpaceToDepth {
  fileprivate func checkAttributes() throws(ShapeError) {
    guard scale >= 2 else { throw ShapeError("SpaceToDepth needs a scale of 2 or more, not \(scale)") }
    try limit("the scale of a space-to-depth", [scale], to: GraphLimits.scale)
  }
}
