import SPD

/// A lowered graph that no kernel can run.
public struct KernelError: Error, CustomStringConvertible, Sendable {
  public var description: String
  init(_ node: Node, _ message: String) { description = "\(node.source): \(message) (layer \(node.layer))" }
}

/// What decides the choice of kernels beside the target.
public struct KernelOptions: Codable, Equatable, Sendable {
  /// Which algorithms may compute a convolution.
  public enum Algorithms: String, Codable, Sendable, CaseIterable {
    /// The fastest.
    case fast
    /// Those that add products in the order of the formula: no Winograd.
    case exact
    /// Winograd only where its weights, which are larger than the formula's, gain most for their memory.
    case lowMemory = "low-memory"
  }

  public var algorithms = Algorithms.fast
  /// What was measured to be fastest, by `TuningProblem.key`. A kernel that is no candidate is passed over.
  public var learned: [String: Kernel] = [:]
  /// The largest Winograd tile: larger ones are faster and less precise. By default 6; in training 4 where all activations are
  /// smooth, else 2: rounding that turns a ReLU on or off changes a gradient by more than rounding.
  public var largestTile: Int?
  /// Weights are packed in every run, not once: training changes them.
  var packsWeights = false

  public init(algorithms: Algorithms = .fast) { self.algorithms = algorithms }
}

/// Decides which kernel computes each node.
struct ChooseKernels {
  let graph: Graph
  let target: Target
  let options: KernelOptions
  /// The largest Winograd tile of convolutions of the forward pass.
  let largestTile: Int
  /// The convolutions for which Winograd's larger weights are allowed, where memory decides.
  private(set) var allowed: [Node.ID: WinogradTile] = [:]

  init(graph: Graph, target: Target, options: KernelOptions) {
    self.graph = graph
    self.target = target
    self.options = options
    let isSmooth = graph.nodes.map(\.op).allSatisfy {
      ($0.appliedActivations + $0.differentiatedActivations).allSatisfy(\.isSmooth)
    }
    largestTile = options.largestTile ?? (!options.packsWeights ? 6 : isSmooth ? 4 : 2)
    if options.algorithms == .lowMemory { allowed = ConvWinogradKernel.allowedWithinBudget(self) }
  }

  var context: KernelContext { KernelContext(graph: graph, target: target) }

  func kernel(for node: Node) throws(KernelError) -> Kernel? {
    if let scale = node.op.phaseScale, scale != 2 {
      throw KernelError(node, "kernels tell the phases of a normalisation apart for scale 2, not \(scale)")
    }
    switch node.op {
    case .input: return nil
    case .convolution(let op): return convolution(node, op)
    case .batchNorm, .activation, .add: return .pointwise
    case .pool(let op): return op.kind == .max ? .maxPool : .averagePool
    case .globalAveragePool: return .globalAverage
    case .softmax: return .softmax
    case .flatten: return .flatten
    case .copy: return .copy
    case .decodeBoxes:
      guard graph.outputs == [Operand(node)], graph.readers(of: node.id).isEmpty else {
        throw KernelError(node, "decoded boxes must be the only thing that the network returns")
      }
      return .decode
    case .training(let op): return try training(node, op)
    case .concat, .slice, .spaceToDepth, .upsample, .linear:
      throw KernelError(node, "\(node.op.name) was not lowered")
    }
  }
}

extension Node {
  /// The view that a convolution's sums start from: one segment, or none where they start from the bias.
  var startSegments: [Segment] { operand(.start)?.segments ?? [] }
}

extension Op {
  /// The scale of the space-to-depth that a normalisation of this node was hoisted over.
  fileprivate var phaseScale: Int? {
    switch self {
    case .batchNorm(let norm), .training(.statistics(let norm)): norm.enclosing?.scale
    case .convolution(let op): op.epilogue.stages.phaseNorm?.enclosing?.scale
    case .input, .activation, .add, .concat, .slice, .spaceToDepth, .upsample, .pool, .globalAveragePool, .flatten,
      .linear, .softmax, .decodeBoxes, .copy, .training:
      nil
    }
  }
}
