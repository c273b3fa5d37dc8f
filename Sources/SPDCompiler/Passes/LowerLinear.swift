import SPD

/// Turns a linear layer into a convolution that covers its whole input, and drops the flatten before it.
///
///     %1 = flatten(%0)                     8×4×4 → 128×1×1
///     %2 = linear(%1) 128→10
/// becomes
///     %2 = conv2d(%0) k=4 8→10             8×4×4 → 10×1×1
///
/// The weight (10, 128) read as (10, 8, 4, 4) is the same numbers in the same order, since flatten is row-major.
extension Pass {
  static let lowerLinear = Pass("lower-linear", .lowering) { graph, remarks in
    for node in graph.nodes {
      guard case .flatten = node.op else { continue }
      let input = graph.shape(of: node[.input])
      // A flatten of single pixels changes nothing.
      if input.height == 1, input.width == 1, let source = node[.input].wholeNode(in: graph) {
        graph.redirect(node.id, to: source)
        graph.remove(node.id)
      }
    }
    for node in graph.nodes {
      guard case .linear(let op) = node.op else { continue }
      var kernel: Size2D = 1
      var lowered = node
      if let flatten = node[.input].wholeNode(in: graph).map({ graph[$0] }), case .flatten = flatten.op {
        lowered.inputs = flatten.inputs
        kernel = graph.shape(of: flatten[.input]).size
      }
      lowered.op = .convolution(
        Op.Convolution(
          kernel: kernel, stride: 1, padding: 0, dilation: 1, groups: 1,
          parts: [Op.Convolution.Part(outputs: op.outputs, weight: op.weight, bias: op.bias)]))
      graph[node.id] = lowered
      remarks.append(
        Remark("lower-linear", node, fired: true, "linear layer as a convolution with kernel \(kernel)"))
    }
  }
}
