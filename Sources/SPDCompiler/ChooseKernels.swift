import Glibc
import SPD

/// A lowered graph that no kernel can run.
public struct KernelError: Error, CustomStringConvertible, Sendable {
  public var description: String
  init(_ node: Node, _ message: String) { description = "\(node.source): \(message) (layer \(node.layer))" }
}

/// What may decide the choice of kernels beside the target.
public struct KernelOptions: Sendable, Equatable {
  /// Which algorithms may compute a convolution.
  public enum Algorithms: String, Codable, Sendable, CaseIterable {
    /// The fastest.
    case fast
    /// Those that add products in the order of the formula: no Winograd.
    case exact
    /// Winograd only where its weights take little memory.
    case lowMemory = "low-memory"
  }

  public var algorithms = Algorithms.fast

  public init(algorithms: Algorithms = .fast) { self.algorithms = algorithms }
}

/// Decides which kernel computes each node.
struct ChooseKernels {
  let graph: Graph
  let target: Target
  let options: KernelOptions

  func kernel(for node: Node) throws(KernelError) -> Kernel? {
    if let scale = node.op.phaseScale, scale != 2 {
      throw KernelError(node, "kernels tell the phases of a normalisation apart for scale 2, not \(scale)")
    }
    switch node.op {
    case .input: return nil
    case .convolution(let op): return convolutions(node, op)[0]
    case .batchNorm, .activation, .add: return .pointwise
    case .pool: return .pool
    case .globalAveragePool: return .globalAverage
    case .softmax: return .softmax
    case .flatten: return .flatten
    case .copy: return .copy
    case .decodeBoxes:
      guard graph.outputs == [Operand(node)], graph.readers(of: node.id).isEmpty else {
        throw KernelError(node, "decoded boxes must be the only thing that the network returns")
      }
      return .decode
    case .concat, .slice, .spaceToDepth, .upsample, .linear:
      throw KernelError(node, "\(node.op.name) was not lowered")
    }
  }

  /// All kernels that can compute a convolution, the one that should be fastest first.
  func convolutions(_ node: Node, _ op: Op.Convolution) -> [Kernel] {
    let direct = direct(node, op)
    guard case .convDirect(let directTile) = direct, options.algorithms != .exact, op.kernel == 3, op.stride == 1, op.dilation == 1, op.groups == 1
    else { return [direct] }
    // EXPERIMENT
    let problem = ChooseWinograd.Problem(output: node.shape, inputBlocks: PlanMemory.inputBlocks(node))
    let all = ChooseWinograd.candidates(problem, target: target)
    if let want = getenv("SPDC_W").map({ String(cString: $0) }) {
      if want == "0" { return [direct] }
      let found = all.filter { "\($0.size)" + ($0.shared ? "s" : "p") == want } + all.filter { "\($0.size)" == want.prefix(1) }
      return found.map { .convWinograd($0) } + [direct]
    }
    let directCycles = ChooseTile.cycles(directTile, directProblem(node, op), target: target)
    let better = all.prefix { ChooseWinograd.cycles($0, problem, target: target) < directCycles }
    return better.map { .convWinograd($0) } + [direct] + all.dropFirst(better.count).map { .convWinograd($0) }
  }

  private func direct(_ node: Node, _ op: Op.Convolution) -> Kernel {
    let operand = node.inputs[0]
    if let scale = pictureScale(node) {
      let channels = graph.input.shape.channels
      let tile = ChooseTile.tile(
        ChooseTile.Problem(
          output: node.shape, depth: channels * op.kernel.area * scale * scale,
          sourceBytes: 4 * graph.input.shape.count), target: target)
      return .convPicture(tile, scale: scale)
    }
    if op.groups != 1 {
      let inputs = graph.shape(of: operand).channels
      if op.groups == inputs, op.groups == op.outputs { return .convDepthwise }
      guard (inputs / op.groups) % channelBlock == 0, (op.outputs / op.groups) % channelBlock == 0 else {
        return .convGrouped
      }
    }
    return .convDirect(ChooseTile.tile(directProblem(node, op), target: target))
  }

  private func directProblem(_ node: Node, _ op: Op.Convolution) -> ChooseTile.Problem {
    var shape = node.shape
    // Each group is a convolution of its own.
    if op.groups != 1 { shape.channels = op.outputs / op.groups }
    let segments = node.inputs[0].segments
    let pixels = shape.batch * shape.height * shape.width
    func blocks(_ segment: Segment) -> Int { ChooseTile.ceilDivide(segment.channels, channelBlock) / op.groups }
    return ChooseTile.Problem(
      output: shape, depth: PlanMemory.inputBlocks(node) / op.groups * channelBlock * op.kernel.area,
      repeats: segments.reduce(1) { leastCommonMultiple($0, $1.upsampling) },
      sourceBytes: segments.reduce(0) {
        $0 + blocks($1) * channelBlock * 4 * pixels / ($1.upsampling * $1.upsampling)
      })
  }

  private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int { a / greatestCommonDivisor(a, b) * b }
  private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

  /// Set if the picture kernel computes this convolution; else lowering has copied the picture into blocks.
  private func pictureScale(_ node: Node) -> Int? {
    ViewRules.readsPicture(node.inputs[0], in: graph) ? ViewRules.pictureScale(node.inputs[0], in: graph) : nil
  }
}

extension Op {
  /// The scale of the space-to-depth that a normalisation of this node was moved in front of.
  fileprivate var phaseScale: Int? {
    switch self {
    case .batchNorm(let norm): norm.behind?.scale
    case .convolution(let op): op.epilogue.phaseNorm?.behind?.scale
    default: nil
    }
  }
}
