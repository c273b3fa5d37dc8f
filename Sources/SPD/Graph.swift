/// A network for one batch and input size: nodes in the order in which they run, and the parameters they read.
///
/// A value type: a pass takes a graph and leaves a changed one. `Codable` as JSON, which every command accepts wherever
/// it accepts a model file.
public struct Graph: Codable, Equatable, Sendable {
  public var name: String
  public var nodes: [Node]
  /// In state-dict order.
  public var parameters: [Parameter]
  /// What the network returns. Several results are returned one after the other.
  public var outputs: [Operand]
  public var classes: Int
  /// What training minimises; nil: cross-entropy, or YOLOv5's loss after `Detect`.
  public var loss: LossExpression?
  /// How images become its input, where that is known: from the run that trained its weights.
  public var preprocessing: ImagePreprocessing?
  /// Names of the classes by index, where they are known.
  public var classNames: [String]?

  public init(name: String, nodes: [Node], parameters: [Parameter], outputs: [Operand], classes: Int) {
    self.name = name
    self.nodes = nodes
    self.parameters = parameters
    self.outputs = outputs
    self.classes = classes
  }

  public subscript(id: Node.ID) -> Node {
    get { nodes[position(of: id)] }
    set { nodes[position(of: id)] = newValue }
  }

  public func position(of id: Node.ID) -> Int {
    guard let position = nodes.firstIndex(where: { $0.id == id }) else { preconditionFailure("no node %\(id)") }
    return position
  }

  public var input: Node {
    guard let node = nodes.first(where: { $0.op == .input }) else { preconditionFailure("a graph without input") }
    return node
  }

  public var nextID: Node.ID { (nodes.map(\.id).max() ?? 0) + 1 }

  /// Nodes that read any part of a node's result, each once.
  public func readers(of id: Node.ID) -> [Node] {
    nodes.filter { $0.inputs.contains { $0.segments.contains { $0.node == id } } }
  }

  public func isOutput(_ id: Node.ID) -> Bool {
    outputs.contains { $0.segments.contains { $0.node == id } }
  }

  /// The shape of the tensor that an operand shows its reader.
  public func shape(of operand: Operand) -> Shape {
    let first = operand.segments[0]
    let source = self[first.node].shape
    let size = first.size(of: source.size)
    return Shape(
      batch: source.batch, channels: operand.segments.reduce(0) { $0 + $1.channels }, height: size.height,
      width: size.width)
  }

  public func parameter(_ name: String) -> Parameter? { parameters.first { $0.name == name } }

  /// Number of trainable values, as PyTorch counts them: running statistics and anchors are not among them.
  public var parameterCount: Int {
    parameters.filter(\.role.isTrainable).reduce(0) { $0 + $1.count }
  }
}

/// One operation and its result.
public struct Node: Codable, Equatable, Sendable, Identifiable {
  public typealias ID = Int
  public var id: ID
  public var op: Op
  public var inputs: [Operand]
  public var shape: Shape
  /// Nil for a node with a result of its own; else it writes into these, and `shape` is what it computes.
  public var destinations: [Destination]?
  /// The layer, as the prefix of its parameters would read: `model.9.m.0.cv1`.
  public var layer: String
  public var source: SourceLocation

  public init(id: ID, op: Op, inputs: [Operand], shape: Shape, layer: String, source: SourceLocation) {
    self.id = id
    self.op = op
    self.inputs = inputs
    self.shape = shape
    self.layer = layer
    self.source = source
  }
}

/// Where in a model file a layer was declared.
public struct SourceLocation: Codable, Hashable, Sendable, CustomStringConvertible {
  /// `Module/file.swift`, as `#fileID` gives it.
  public var fileID: String
  public var line: Int

  public init(fileID: String, line: Int) {
    self.fileID = fileID
    self.line = line
  }

  public var file: String {
    fileID.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(fileID[fileID.index(after: $0)...]) } ?? fileID
  }
  public var description: String { "\(file):\(line)" }
}

/// A tensor that comes with the weights, under its PyTorch state-dict key.
public struct Parameter: Codable, Hashable, Sendable {
  public var name: String
  /// PyTorch's; empty for a scalar.
  public var shape: [Int]
  public var role: Role

  public init(name: String, shape: [Int], role: Role) {
    self.name = name
    self.shape = shape
    self.role = role
  }

  public var count: Int { shape.reduce(1, *) }

  public enum Role: Codable, Hashable, Sendable {
    /// Convolution or linear weight: (outputs, inputs / groups, …).
    case weight
    case bias
    case normWeight
    case normBias
    /// Learned parameter of an activation: one value, or one for each channel.
    case slope
    case runningMean
    case runningVariance
    /// PyTorch's `num_batches_tracked`: part of a state dict, read by nothing here.
    case batchesTracked
    /// Fixed by the architecture: these values, unless a checkpoint brings others.
    case constant([Float])

    public var isTrainable: Bool {
      switch self {
      case .weight, .bias, .normWeight, .normBias, .slope: true
      case .runningMean, .runningVariance, .batchesTracked, .constant: false
      }
    }

    /// False for what a checkpoint may leave out.
    public var isRequired: Bool {
      switch self {
      case .batchesTracked, .constant: false
      default: true
      }
    }
  }
}
