import SPD

/// Convolutions of a network that are one and the same to the processor, and the kernels that can compute them.
public struct TuningProblem: Equatable, Sendable {
  /// A text with everything that decides how fast a kernel is, and with neither names nor numbers of nodes.
  public var key: String
  public var nodes: [Node.ID]
  /// The kernel that `ChooseKernels` takes by default, followed by the other candidates.
  public var candidates: [Kernel]

  /// The problems of a lowered graph that have more than one candidate, in the order of its nodes.
  public static func all(in graph: Graph, target: Target, kernels: KernelOptions) -> [TuningProblem] {
    let choose = ChooseKernels(graph: graph, target: target, options: kernels)
    var problems: [TuningProblem] = []
    for node in graph.nodes {
      guard case .convolution(let op) = node.op else { continue }
      let key = choose.problemKey(node)
      if let index = problems.firstIndex(where: { $0.key == key }) {
        problems[index].nodes.append(node.id)
      } else {
        let candidates = choose.convolutions(node, op)
        if candidates.count > 1 { problems.append(TuningProblem(key: key, nodes: [node.id], candidates: candidates)) }
      }
    }
    return problems
  }
}

extension ChooseKernels {
  /// The line of the graph's text with shapes in place of nodes, how it is to be computed, and for what:
  ///
  ///     conv2d(96×320×320[::2,::2]) k=1 96→48 +silu → 48×160×160, fast, native 16×32
  func problemKey(_ node: Node) -> String {
    let expression = graph.expression(of: node).replacing(/%(\d+)/) { match in
      guard let id = Node.ID(match.1) else { return "" }
      return (id == graph.input.id ? "image " : "") + graph[id].shape.description
    }
    let images = node.shape.batch == 1 ? "" : "\(node.shape.batch)×"
    var algorithms = options.algorithms.rawValue
    // Not every convolution is allowed the same.
    if let allowed = allowed[node.id] { algorithms += " F(\(allowed.size))" }
    return "\(expression) → \(images)\(node.shape), \(algorithms), \(target.name) \(target.lanes)×\(target.registers)"
  }
}
