import SPD

extension ChooseKernels {
  /// The kernel of an operation that only training has; nil if it computes nothing.
  func training(_ node: Node, _ op: Op.Training) throws(KernelError) -> Kernel? {
    switch op {
    case .gradient(_, let isCleared): return isCleared ? .clear : nil
    case .statistics: return .statistics
    case .normalize: return .normalize
    case .batchNormBackwardReduce: return .batchNormBackwardReduce
    case .normalizeGradient: return .normalizeGradient
    case .weightGradient(let op): return weightGradient(node, op)
    case .activationGradient: return .activationGradient
    case .poolGradient: return .poolGradient
    case .globalAverageGradient: return .globalAverageGradient
    case .copyGradient: return .copyGradient
    case .loss(.crossEntropy): return .crossEntropy
    case .loss(.yolo): return .yoloLoss
    case .loss(.composed): return .composedLoss
    }
  }

  private func weightGradient(_ node: Node, _ op: Op.Convolution) -> Kernel {
    for kernel in Kernel.weightGradients {
      if let chosen = kernel.choice(for: node, op, in: self) { return chosen }
    }
    preconditionFailure("no kernel computes \(node)")
  }
}

/// Kernels of the gradients of weights.
protocol WeightGradientModule: KernelModule {
  /// Nil where it cannot compute the gradient, or another kernel should be faster.
  static func choice(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> Kernel?
}
