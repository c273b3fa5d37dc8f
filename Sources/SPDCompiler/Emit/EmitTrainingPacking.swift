import SPD

// What training reads and writes of the state, and how kernels see its weights, which they pack in every step.
extension EmitC {
  /// A parameter's values in the state.
  func value(_ name: String) -> String { "values + \(plan.state!.offset(of: name))" }

  /// Where its gradient goes.
  func gradient(_ name: String) -> String {
    if let gradient = plan.gradients.first(where: { $0.parameter == name }) { return "arena + \(gradient.offset)" }
    return "gradients + \(plan.state!.offset(of: name))"
  }

  /// The runs of inputs and of outputs as the kernel counts them, as positions in W[o][i][tap].
  func weightRuns(_ node: Node, _ op: Op.Convolution, isImage: Bool = false) -> String {
    func text(_ runs: [(Int, Int, Int)]) -> String {
      "(const weight_run[]){" + runs.map { "{\($0.0), \($0.1), \($0.2)}" }.joined(separator: ", ") + "}"
    }
    if let adjoint = op.adjoint {
      let area = adjoint.kernel.area
      return text([(adjoint.outputs, 0, adjoint.inputs * area)]) + ", "
        + text(adjoint.runs.map { ($0.count, $0.first * area, $0.stride * area) })
    }
    let area = op.kernel.area
    let inputs = graph.shape(of: node[.input]).channels
    let segments = node[.input].segments.map { ($0.channels, $0.target * area, $0.targetStride * area) }
    // An image's channels and phases lie in the weights' order.
    return text(isImage ? [(inputs, 0, area)] : segments) + ", " + text([(op.outputs, 0, inputs * area)])
  }

  func taps(_ op: Op.Convolution) -> String {
    var offsets = Array(0..<op.kernel.area)
    if let adjoint = op.adjoint {
      offsets = adjoint.rows.flatMap { row in adjoint.columns.map { row * adjoint.kernel.width + $0 } }
    }
    return "(const int[]){\(list(offsets))}"
  }
}
