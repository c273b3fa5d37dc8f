import SPD

// Training packs the weights of a convolution just before it runs, since every step changes them.
extension EmitC {
  /// A parameter's values in the state.
  func value(_ name: String) -> String { "values + \(plan.state!.offset(of: name))" }

  /// Where its gradient goes.
  func gradient(_ name: String) -> String {
    if let gradient = plan.gradients.first(where: { $0.parameter == name }) { return "arena + \(gradient.offset)" }
    return "gradients + \(plan.state!.offset(of: name))"
  }

  /// Statements that pack a step's weights; nil if it has none.
  func trainingPacking(of step: Plan.Step) throws -> String? {
    guard let node = step.node.map({ graph[$0] }), case .convolution(let op) = node.op,
      let block = plan.packedBlock(of: node.id)
    else { return nil }
    let blocks = ChooseTile.ceilDivide(node.shape.channels, channelBlock)
    let weight = value(op.parts[0].weight)
    let to = "arena + \(block.offset)"
    let bias =
      "pack_bias(arena + \(block.offset + block.count - blocks * channelBlock), \(blocks), "
      + "\(op.parts[0].bias.map(value) ?? "NULL"), \(op.parts[0].outputs), thread);\n"
    switch step.kernel {
    case .convDirect(let tile):
      return
        "pack_direct(\(to), \(blocks), \(tile.strip), \(PlanMemory.inputBlocks(node)), \(runs(node, op)), \(weight), "
        + "\(op.kernel.area), \(taps(op)), thread, threads);\n" + bias
    case .convWinograd(let tile), .convImageWinograd(let tile, _):
      let first = tile.share == 0 ? blocks : min(blocks, tile.share * tile.strip)
      return packing(of: node, op, step.kernel, blocks: ("0", "\(first)")) + bias
    case .convImage(let tile, let scale):
      let phases = node.inputs[0].segments.sorted { ($0.rowPhase, $0.columnPhase) < ($1.rowPhase, $1.columnPhase) }
      return "pack_image(\(to), \(blocks), \(tile.strip), \(graph.input.shape.channels), \(scale), "
        + "(const int[]){\(list(phases.map(\.target)))}, (const int[]){\(list(phases.map(\.targetStride)))}, "
        + "\(op.kernel.height), \(op.kernel.width), \(weight), \(op.outputs), thread, threads);\n" + bias
    default: preconditionFailure("\(step.kernel) is not packed in training")
    }
  }

  /// The call that packs blocks of outputs for Winograd; `blocks` are the first and the one after the last, of which the kernel's
  /// last strip may lack some.
  func packing(of node: Node, _ op: Op.Convolution, _ kernel: Kernel, blocks: (first: String, last: String)) -> String {
    guard let tile = kernel.winograd, let block = plan.packedBlock(of: node.id) else {
      preconditionFailure("\(kernel) packs nothing for Winograd")
    }
    let transform = Winograd.of(size: tile.size).kernelTransform.joined().map { "\($0)" }.joined(separator: ", ")
    let count = ChooseTile.ceilDivide(node.shape.channels, channelBlock)
    return "pack_winograd(arena + \(block.offset), \(blocks.first), \(blocks.last), \(count), \(tile.strip), "
      + "\(PlanMemory.inputBlocks(node, kernel)), \(runs(node, op, isImage: kernel != .convWinograd(tile))), "
      + "\(value(op.parts[0].weight)), \(taps(op)), \(tile.edge), (const float[]){\(transform)}, thread, threads);\n"
  }

  /// The runs of inputs and of outputs as the kernel counts them, as positions in W[o][i][tap].
  private func runs(_ node: Node, _ op: Op.Convolution, isImage: Bool = false) -> String {
    func text(_ runs: [(Int, Int, Int)]) -> String {
      "(const weight_run[]){" + runs.map { "{\($0.0), \($0.1), \($0.2)}" }.joined(separator: ", ") + "}"
    }
    if let adjoint = op.adjoint {
      let area = adjoint.kernel.area
      return text([(adjoint.outputs, 0, adjoint.inputs * area)]) + ", "
        + text(adjoint.runs.map { ($0.count, $0.first * area, $0.stride * area) })
    }
    let area = op.kernel.area
    let inputs = graph.shape(of: node.inputs[0]).channels
    let segments = node.inputs[0].segments.map { ($0.channels, $0.target * area, $0.targetStride * area) }
    // An image's channels and phases lie in the weights' order.
    return text(isImage ? [(inputs, 0, area)] : segments) + ", " + text([(op.outputs, 0, inputs * area)])
  }

  private func taps(_ op: Op.Convolution) -> String {
    var offsets = Array(0..<op.kernel.area)
    if let adjoint = op.adjoint {
      offsets = adjoint.rows.flatMap { row in adjoint.columns.map { row * adjoint.kernel.width + $0 } }
    }
    return "(const int[]){\(list(offsets))}"
  }

  private func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }
}
