import Foundation
import SPD
import SPDCompiler

/// What each pass did to a network and why, and the cost of each step of its plan.
package struct Explanation: Encodable {
  package struct Pass: Encodable {
    package var name: String, changed: Bool, remarks: [Remark]
  }

  package var model: String, target: String
  package var passes: [Pass]
  package var layers: [Layer]
  /// FLOPs of the network as declared, and after the passes.
  package var flopsBefore: Int, flops: Int
  /// Bytes of activations that are read and written, as declared and after the passes.
  package var activationBytesBefore: Int, activationBytes: Int
  package var parameters: Int
  /// Bytes of the arena for one thread, and of the packed weights.
  package var arenaBytes: Int, packedBytes: Int
  package var fusions: Fusions
  private let compiled: Builder.Compiled

  private enum CodingKeys: String, CodingKey {
    case model, target, passes, layers, flopsBefore, flops, activationBytesBefore, activationBytes, parameters
    case arenaBytes, packedBytes, fusions
  }

  package init(_ compiled: Builder.Compiled, target: Target) {
    self.compiled = compiled
    (model, self.target) = (compiled.graph.name, target.name)
    passes = compiled.records.map { Pass(name: $0.pass, changed: $0.changed, remarks: $0.remarks) }
    layers = compiled.plan.steps.map { Layer($0, compiled.plan) }
    let (before, after) = (compiled.graph.cost, compiled.plan.graph.cost)
    (flopsBefore, flops) = (before.flops, after.flops)
    (activationBytesBefore, activationBytes) = (before.activationBytes, after.activationBytes)
    parameters = compiled.graph.parameterCount
    (arenaBytes, packedBytes) = (compiled.plan.arenaBytes(threads: 1), compiled.plan.packedCount * 4)
    fusions = Fusions(compiled.graph, compiled.records)
  }

  /// The passes with their remarks, the steps as a table, and the sums.
  ///
  /// - Parameter graphs: adds the graph as declared, and after each pass that changed it.
  package func text(graphs: Bool) -> String {
    var lines = graphs ? ["as declared:\n" + compiled.graph.text] : []
    for record in compiled.records {
      lines.append("\(record.pass)" + (record.changed ? "" : "  (nothing to do)"))
      lines += record.remarks.map { "  \($0.fired ? "+" : "-") \($0.layer)  \($0.message)  (\($0.source))" }
      if graphs, let after = record.after { lines.append(after.text) }
    }
    lines.append("\n" + table)
    lines.append(
      String(
        format: "%.2f GFLOP, as declared %.2f; %@ parameters; activations read and written: %@, as declared %@",
        Double(flops) / 1e9, Double(flopsBefore) / 1e9, grouped(parameters), megabytes(activationBytes),
        megabytes(activationBytesBefore)))
    lines.append("arena \(megabytes(arenaBytes)) for one thread, packed weights \(megabytes(packedBytes))")
    return (lines + fusions.lines).joined(separator: "\n")
  }

  private var table: String {
    let rows = layers.map { layer in
      [
        "\(layer.step)", layer.kernel, layer.cut, String(format: "%.1f", Double(layer.cost.flops) / 1e6),
        String(format: "%.2f", Double(layer.cost.activationBytes) / 1e6),
        String(format: "%.2f", Double(layer.cost.parameterBytes) / 1e6), layer.text, layer.layer,
      ]
    }
    return columns(
      [["step", "kernel", "tile", "MFLOP", "act MB", "par MB", "node", "layer"]] + rows, right: [0, 3, 4, 5])
  }

  /// A step of the plan and its cost.
  package struct Layer: Encodable {
    package var step: Int
    package var layer: String
    package var source: String
    package var kernel: String
    package var text: String
    package var shape: String
    package var tile: ConvolutionTile?
    package var winograd: WinogradTile?
    /// How a convolution is cut into tiles, as the table says it.
    package var cut: String
    package var cost: Cost
    package var arenaOffset: Int?

    init(_ step: Plan.Step, _ plan: Plan) {
      self.step = plan.steps.firstIndex(of: step) ?? 0
      kernel = step.kernel.template
      (tile, winograd, cut) = (step.kernel.tile, step.kernel.winograd, step.kernel.explanation)
      guard let id = step.node else {
        (layer, source, text, shape, cost) = ("output", "", "store", "", Cost())
        return
      }
      let node = plan.graph[id]
      layer = node.layer
      source = node.source.description
      text = "%\(id) = \(plan.graph.expression(of: node))"
      shape = node.shape.description
      cost = plan.graph.cost(of: node)
      arenaOffset = plan.buffers.first { $0.node == id }.map { $0.offset * 4 }
    }
  }
}
