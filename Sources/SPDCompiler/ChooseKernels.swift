import SPD

/// A lowered graph that no kernel can run.
public struct KernelError: Error, CustomStringConvertible, Sendable {
  public var description: String
  init(_ node: Node, _ message: String) { description = "\(node.source): \(message) (layer \(node.layer))" }
}

/// Decides which kernel computes each node.
enum ChooseKernels {
  static func kernel(for node: Node, in graph: Graph, target: Target) throws(KernelError) -> Kernel? {
    if let scale = node.op.phaseScale, scale != 2 {
      throw KernelError(node, "kernels tell the phases of a normalisation apart for scale 2, not \(scale)")
    }
    switch node.op {
    case .input: return nil
    case .convolution(let op): return convolution(node, op, in: graph, target: target)
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

  private static func convolution(
    _ node: Node, _ op: Op.Convolution, in graph: Graph, target: Target
  ) -> Kernel {
    let operand = node.inputs[0]
    if let scale = pictureScale(node, op, in: graph) {
      let channels = graph.input.shape.channels
      let tile = ChooseTile.tile(
        ChooseTile.Problem(
          output: node.shape, depth: channels * op.kernel.area * scale * scale,
          sourceBytes: 4 * graph.input.shape.count), target: target)
      return .convPicture(tile, scale: scale)
    }
    let inputs = graph.shape(of: operand).channels
    var shape = node.shape
    if op.groups != 1 {
      if op.groups == inputs, op.groups == op.outputs { return .convDepthwise }
      guard (inputs / op.groups) % channelBlock == 0, (op.outputs / op.groups) % channelBlock == 0 else {
        return .convGrouped
      }
      // Each group is a convolution of its own.
      shape.channels = op.outputs / op.groups
    }
    func blocks(_ segment: Segment) -> Int { ChooseTile.ceilDivide(segment.channels, channelBlock) / op.groups }
    let pixels = shape.batch * shape.height * shape.width
    let tile = ChooseTile.tile(
      ChooseTile.Problem(
        output: shape, depth: operand.segments.reduce(0) { $0 + blocks($1) } * channelBlock * op.kernel.area,
        repeats: (operand.segments + op.startSegments(node)).reduce(1) { leastCommonMultiple($0, $1.upsampling) },
        sourceBytes: operand.segments.reduce(0) {
          $0 + blocks($1) * channelBlock * 4 * pixels / ($1.upsampling * $1.upsampling)
        }), target: target)
    return .convDirect(tile)
  }

  private static func leastCommonMultiple(_ a: Int, _ b: Int) -> Int { a / greatestCommonDivisor(a, b) * b }
  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

  /// Set if the picture kernel computes this convolution; else lowering has copied the picture into blocks.
  private static func pictureScale(_ node: Node, _ op: Op.Convolution, in graph: Graph) -> Int? {
    ViewRules.readsPicture(node.inputs[0], in: graph) ? ViewRules.pictureScale(node.inputs[0], in: graph) : nil
  }
}

extension Op.Convolution {
  /// The view that the sums start from: one segment, or none where they start from the bias.
  func startSegments(_ node: Node) -> [Segment] { epilogue.addsStart ? node.inputs[1].segments : [] }
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
