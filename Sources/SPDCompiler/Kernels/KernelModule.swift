import SPD

/// One algorithm: what it needs, what fills its template, how it is called. Its C text is the template of its name.
///
/// A plan holds the `Kernel` that was decided on, with its tile; its module answers all questions, so that planner and emitter know
/// no kernel by name.
protocol KernelModule: Sendable {
  /// File name of the C text in `templates/kernels`, without extension.
  var template: String { get }

  /// Memory that it needs to compute a node.
  func needs(of node: Node, in context: KernelContext) -> KernelNeeds

  /// What fills the template for a step, and the call.
  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation
}

/// What a kernel may know of a plan in the making.
struct KernelContext {
  var graph: Graph
  var target: Target
  /// Maximum number of boxes in a batch; only for a detector's training.
  var maxTargets = 0
}

/// Memory of a step, in floats.
struct KernelNeeds {
  /// For each thread.
  var scratch = 0
  /// For all threads together.
  var shared = 0
  /// Packed parameters.
  var packed = 0
  /// Edge of the tiles that overhang the result, so that more of the inputs' halo is read.
  var overhangingTile: Int?
}

/// A kernel that reads one tensor and nothing else.
protocol UnaryKernel: KernelModule {
  /// What fills its template, beside the number of images.
  func holes(of node: Node, reading input: Shape, x: TensorLayout, y: TensorLayout, in c: EmitC) -> [String: String]
}

extension UnaryKernel {
  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { KernelNeeds() }

  func invocation(of step: Plan.Step, in c: EmitC) -> EmitC.Invocation {
    let node = c.node(of: step)
    let x = node[.input].segments[0]
    let holes =
      holes(of: node, reading: c.graph.shape(of: node[.input]), x: c.layout(x.node), y: c.layout(node.id), in: c)
      + ["IMAGES": "\(node.shape.batch)"]
    return EmitC.Invocation(holes: holes) {
      "\($0)(\(c.pointers([c.address(x)])), \(c.address(node.id)), thread, threads);\n"
    }
  }
}

/// A kernel whose steps compute no node.
protocol StandaloneKernel: KernelModule {
  /// What its step does, for people.
  var purpose: String { get }
  /// What follows the prefix in its function's name.
  var functionName: String { get }
}

extension StandaloneKernel {
  func needs(of node: Node, in context: KernelContext) -> KernelNeeds { mismatch(node) }
}

/// A kernel that reads parameters in an order of its own.
protocol PackingKernel: KernelModule {
  /// What brings them into this order, for inference: once, before the first run.
  func packing(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> EmitC.PackingStatements
}

/// A kernel of training that reads parameters in an order of its own: it packs them in every step, just before.
protocol TrainingPackingKernel: KernelModule {
  /// Statements that pack a step's parameters.
  func trainingPacking(of node: Node, to block: Plan.PackedBlock, in c: EmitC) -> String

  /// Templates of the functions that these call.
  var trainingHelpers: [String] { get }
}

/// A kernel that gathers the statistics of what it stores, in a slot for each run of pixels; see the template `statistics`.
protocol GatheringKernel: KernelModule {
  /// Number of slots that it fills.
  func statisticsSlots(of node: Node) -> Int
}

/// A kernel whose tiles can span several images of 1×1 convolutions; see `Plan.joinImages`.
protocol ImageJoiningKernel: ConvolutionKernel {
  /// The kernel for images that are one tall image; nil if that is no gain.
  func joined(_ node: Node, _ op: Op.Convolution, target: Target) -> Kernel?
}

extension KernelModule {
  /// For a node that planner and emitter do not give to this kernel: an internal error.
  func mismatch(_ node: Node) -> Never { preconditionFailure("\(template) does not compute \(node.op.name)") }
}

extension Op.Convolution {
  /// Blocks of 16 outputs.
  var outputBlocks: Int { ChooseTile.ceilDivide(outputs, channelBlock) }
}

extension Op {
  /// The convolution that a node computes, or whose weight's gradient it computes.
  var convolution: Op.Convolution? {
    switch self {
    case .convolution(let op), .training(.weightGradient(let op)): op
    case .input, .spaceToDepth, .concat, .upsample, .slice, .batchNorm, .activation, .add, .pool, .globalAveragePool,
      .flatten, .linear, .softmax, .decodeBoxes, .copy, .training:
      nil
    }
  }
}
