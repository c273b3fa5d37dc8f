/// Records the layers of a model file as they are called.
///
/// A model file cannot throw from the middle of an expression, so the first error is kept, everything after it is
/// ignored, and the trace as a whole fails with it.
public final class GraphBuilder {
  private(set) var graph: Graph
  private(set) var error: TraceError?
  private var scopes: [Scope]
  private var sites: [Site] = []

  private struct Scope {
    var prefix: String
    var nextNumber = 0
  }

  init(name: String, input: Shape, classes: Int, scope: String?) {
    graph = Graph(name: name, nodes: [], parameters: [], outputs: [], classes: classes)
    scopes = [Scope(prefix: scope ?? "")]
    graph.nodes.append(
      Node(
        id: 0, op: .input, inputs: [], shape: input, layer: "input",
        source: SourceLocation(fileID: "input", line: 0)))
  }

  /// Runs a layer's body inside of its scope: a name of its own, or the next number of the scope around it.
  func enter(_ site: Site, _ body: () -> Tensor) -> Tensor {
    let name: String
    if let own = site.name {
      name = own
    } else {
      name = String(scopes[scopes.count - 1].nextNumber)
      scopes[scopes.count - 1].nextNumber += 1
    }
    sites.append(site)
    defer { sites.removeLast() }
    if !name.isLayerName {
      fail(
        "the name \(name.quotedForMessage) cannot be used: a layer's name is made of 1 to 255 letters, digits, _, - and ."
      )
    }
    let outer = scopes[scopes.count - 1].prefix
    scopes.append(Scope(prefix: outer.isEmpty ? name : outer + "." + name))
    defer { scopes.removeLast() }
    return body()
  }

  /// The parameter-name prefix of the layer that is being called.
  var layer: String { scopes[scopes.count - 1].prefix }

  /// Runs what a function of this library declares on behalf of a line of the model file.
  func at(_ site: Site, _ body: () -> Tensor) -> Tensor {
    sites.append(site)
    defer { sites.removeLast() }
    return body()
  }

  /// The line of the model file that led here: the innermost one outside of this library; where an operator stands
  /// alone, which knows no line, that of what it reads.
  private func source(reading inputs: [Tensor] = []) -> SourceLocation {
    let site = sites.last { !$0.source.fileID.hasPrefix("SPD/") } ?? sites.last
    return site?.source ?? inputs.first.map { graph.nodes[$0.id].source } ?? SourceLocation(fileID: "model", line: 0)
  }

  /// Declares a parameter of the current layer and returns its full name.
  func parameter(_ name: String, _ shape: [Int], _ role: Parameter.Role) -> String {
    let full = layer.isEmpty ? name : layer + "." + name
    guard error == nil else { return full }
    if graph.parameter(full) != nil {
      fail("two layers are called \(layer): give one of them another name with .named(_:)")
    } else if !full.isLayerName {
      fail("a parameter would be called \(full.quotedForMessage), which \(Graph.nameRule)")
    } else if GraphLimits.count(shape) == nil {
      fail("\(full) would have the shape \(shape)")
    } else if case .constant(let values) = role, values.contains(where: { !$0.isFinite }) {
      fail("\(full) would hold a number that is not finite")
    } else {
      graph.parameters.append(Parameter(name: full, shape: shape, role: role))
    }
    return full
  }

  /// Appends a node; returns its first input unchanged once an error has been met.
  func append(_ op: Op, _ inputs: [Tensor]) -> Tensor {
    guard error == nil else { return inputs[0] }
    if let stranger = inputs.first(where: { $0.builder !== self }) {
      fail("\(stranger.shape) comes from another model")
      return inputs[0]
    }
    if let boxes = inputs.first(where: { if case .decodeBoxes = graph.nodes[$0.id].op { true } else { false } }) {
      fail("the boxes \(boxes.shape) go straight to the caller: nothing can follow Detect")
      return inputs[0]
    }
    guard graph.nodes.count < GraphLimits.nodes else {
      fail("a model has at most \(GraphLimits.nodes) operations")
      return inputs[0]
    }
    do {
      let shape = try op.outputShape(inputs.map(\.shape)) { graph.parameter($0) }
      let node = Node(
        id: graph.nodes.count, op: op, inputs: inputs.map { Operand(graph.nodes[$0.id]) }, shape: shape, layer: layer,
        source: source(reading: inputs))
      graph.nodes.append(node)
      return Tensor(builder: self, id: node.id, shape: shape)
    } catch {
      fail(error.description, reading: inputs)
      return inputs[0]
    }
  }

  func fail(_ message: String, reading inputs: [Tensor] = []) {
    if error == nil { error = TraceError(message: message, layer: layer, source: source(reading: inputs)) }
  }

  func finish(_ result: [Tensor], loss: LossExpression?) throws(TraceError) -> Graph {
    if let error { throw error }
    guard !result.isEmpty else {
      let last = graph.nodes[graph.nodes.count - 1]
      throw TraceError(
        message: "the model \(graph.name) returns an empty list: return what it computes", layer: last.layer,
        source: last.source)
    }
    graph.loss = loss
    graph.outputs = result.map { Operand(graph.nodes[$0.id]) }
    return graph
  }
}

/// A model that cannot be built for the size and classes asked for.
public struct TraceError: Error, Codable, Equatable, Sendable, CustomStringConvertible {
  public var message: String
  public var layer: String
  public var source: SourceLocation
  /// A suggestion that would work instead, if one was found.
  public var remedy: String?

  public var description: String {
    "\(source): \(message)" + (layer.isEmpty ? "." : " (layer \(layer)).") + (remedy.map { "\n  \($0)" } ?? "")
  }
}

/// Where a layer was declared, and the name it was given.
public struct Site: Sendable {
  public var source: SourceLocation
  public var name: String?

  public init(_ fileID: String, _ line: Int, name: String? = nil) {
    source = SourceLocation(fileID: fileID, line: line)
    self.name = name
  }
}
