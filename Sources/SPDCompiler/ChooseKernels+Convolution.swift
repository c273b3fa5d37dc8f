import SPD

extension ChooseKernels {
  /// What was learned about a convolution, else what should be fastest.
  func convolution(_ node: Node, _ op: Op.Convolution) -> Kernel {
    let candidates = convolutions(node, op)
    // It may have been learned by a version that had other candidates.
    if !options.learned.isEmpty, let learned = options.learned[problemKey(node)], candidates.contains(learned) {
      return learned
    }
    return candidates[0]
  }

  /// Kernels that can compute a convolution and are worth measuring, about ten, the one that should be fastest first.
  func convolutions(_ node: Node, _ op: Op.Convolution) -> [Kernel] {
    let base = base(node, op)
    guard options.algorithms != .exact, let cycles = base.cycles else { return [base.kernel] + base.variants }
    var (faster, slower): ([Kernel], [Kernel]) = ([], [])
    for algorithm in Kernel.fastConvolutions {
      let found = algorithm.candidates(for: node, op, insteadOf: base.kernel, cycles: cycles, in: self)
      faster += found.faster
      slower += found.slower
    }
    guard !(faster + slower).isEmpty else { return [base.kernel] + base.variants }
    // Where algorithms compete, cutting one of them otherwise gains little.
    return faster + [base.kernel] + slower + base.variants.prefix(3)
  }

  /// The kernel that adds products in the order of the formula.
  func base(_ node: Node, _ op: Op.Convolution) -> BaseConvolution {
    for kernel in Kernel.baseConvolutions {
      if let base = kernel.base(for: node, op, in: self) { return base }
    }
    preconditionFailure("no kernel computes \(node)")
  }
}

/// A kernel that adds products in the order of the formula, and other ways to cut the same work.
struct BaseConvolution {
  var kernel: Kernel
  var variants: [Kernel] = []
  /// What the model of the processor says; nil where it says nothing, so that nothing is compared with it.
  var cycles: Double?
}

/// Kernels that can compute any convolution of a kind.
protocol BaseConvolutionKernel: ConvolutionKernel {
  /// Nil for convolutions of another kind.
  static func base(for node: Node, _ op: Op.Convolution, in choose: ChooseKernels) -> BaseConvolution?
}

/// Algorithms with fewer products, for some convolutions.
protocol FastConvolutionKernel: ConvolutionKernel {
  /// What should take less than the cycles of `base`, and other candidates worth measuring; neither where it cannot compute
  /// the convolution.
  static func candidates(
    for node: Node, _ op: Op.Convolution, insteadOf base: Kernel, cycles: Double, in choose: ChooseKernels
  ) -> (faster: [Kernel], slower: [Kernel])
}
