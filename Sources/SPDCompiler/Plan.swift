import SPD

/// A lowered graph with everything decided: kernels, the order of steps, where each buffer lies.
///
/// `EmitC` prints it; nothing is decided after it.
public struct Plan: Codable, Equatable, Sendable {
  public var graph: Graph
  /// Prefix of all external symbols: a C identifier.
  public var prefix: String
  public var target: Target
  public var mode = Mode.inference
  public var steps: [Step]
  public var buffers: [Buffer]
  /// Memory that all threads share within a step, or from the one that fills it to the one that reads it.
  public var workspaces: [Workspace] = []
  public var packed: [PackedBlock]
  /// Place of each gradient until its parameter is updated; only for training that updates in the backward pass.
  public var gradients: [Gradient] = []
  /// Floats of the arena that all threads share.
  public var arenaCount: Int
  /// Floats of scratch of each thread, after what all share.
  public var scratchCount: Int
  /// Shape of each result as the caller sees it, and where it begins in the output, in floats.
  public var outputs: [Output]
  /// Layout of the parameters in every array of the state; only for training.
  public var state: StateLayout?
  /// Maximum number of boxes in a batch; only for a detector's training.
  public var maxTargets = 0

  /// One parallel loop; all threads meet after it.
  public struct Step: Codable, Equatable, Sendable {
    /// The node it computes; nil where it only writes an output or updates parameters.
    public var node: Node.ID?
    public var kernel: Kernel
    public var reads: [Node.ID]
    /// Gradients that it writes to, in place of a result of its own.
    public var writes: [Node.ID] = []
  }

  /// Where a node's result lives: `offset ..< offset + layout.count` of the arena, from step `first` to step `last`.
  public struct Buffer: Codable, Equatable, Sendable {
    public var node: Node.ID
    public var layout: TensorLayout
    public var offset: Int
    public var first: Int
    public var last: Int
  }

  /// `offset ..< offset + count` of the arena, in use by step `step`, and before it by the step `first` that fills it.
  public struct Workspace: Codable, Equatable, Sendable {
    public var first: Int
    public var step: Int
    public var offset: Int
    public var count: Int

    /// - Parameter first: by default the step itself.
    public init(first: Int? = nil, step: Int, offset: Int, count: Int) {
      (self.first, self.step, self.offset, self.count) = (first ?? step, step, offset, count)
    }
  }

  /// A parameter's gradient: `offset ..< offset + count` of the arena, from step `first` to its update in step `last`.
  public struct Gradient: Codable, Equatable, Sendable {
    public var parameter: String
    public var offset = 0
    public var count: Int
    public var first: Int
    public var last: Int
  }

  /// A run of packed weights, in floats from the start of the packed buffer; in training, which packs anew in every step, of
  /// the arena.
  public struct PackedBlock: Codable, Equatable, Sendable {
    public var node: Node.ID
    public var offset: Int
    public var count: Int
  }

  public struct Output: Codable, Equatable, Sendable {
    public var shape: [Int]
    public var offset: Int
    public var count: Int { shape.reduce(1, *) }
  }

  public func buffer(of node: Node.ID) -> Buffer {
    guard let buffer = buffers.first(where: { $0.node == node }) else { preconditionFailure("no buffer for %\(node)") }
    return buffer
  }

  public func packedBlock(of node: Node.ID) -> PackedBlock? { packed.first { $0.node == node } }

  /// What a training step compares the network's result with.
  public enum Supervision: Equatable, Sendable {
    /// A class for each image.
    case labels
    /// As many boxes as there are, up to `maxTargets`.
    case boxes
    /// A number for each of the result's, N×C×H×W; where the result is a vector, a class for each image will do.
    case numbers(Shape)
  }

  public var supervision: Supervision {
    if steps.contains(where: { $0.kernel == .yoloLoss }) { return .boxes }
    guard steps.contains(where: { $0.kernel == .composedLoss }) else { return .labels }
    return .numbers(graph.shape(of: graph.outputs[0]))
  }

  /// Whether each parameter is updated as soon as its gradient is there, in place of one sweep after backward.
  public var updatesInBackward: Bool { !gradients.isEmpty }

  public var packedCount: Int { packed.last.map { $0.offset + $0.count } ?? 0 }
  public var outputCount: Int { outputs.last.map { $0.offset + $0.count } ?? 0 }

  /// Bytes of the arena for a number of threads.
  public func arenaBytes(threads: Int) -> Int { 4 * (arenaCount + threads * scratchCount) }
}
