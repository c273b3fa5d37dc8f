import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver

struct Explain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what each pass did and why, and the cost of each layer.")

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print everything as JSON.") var json = false
  @Flag(help: "Print the graph before the first pass and after each pass that changed it.") var graphs = false

  func run() async throws {
    try await reporting {
      let weighted = try await options.load(required: false)
      let builder = try Builder(target: options.target)
      let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: try threads.threads)
      let compiled = try builder.compile(weighted.graph, options: pipeline)
      let layers = compiled.plan.steps.map { Layer($0, compiled.plan) }
      let report = Report(
        model: compiled.graph.name, target: builder.target.name,
        passes: compiled.records.map { Report.Pass(name: $0.pass, changed: $0.changed, remarks: $0.remarks) },
        layers: layers, flopsBefore: compiled.graph.cost.flops, flops: compiled.plan.graph.cost.flops,
        activationBytesBefore: compiled.graph.cost.activationBytes,
        activationBytes: compiled.plan.graph.cost.activationBytes, parameters: compiled.graph.parameterCount,
        arenaBytes: compiled.plan.arenaBytes(threads: 1), packedBytes: compiled.plan.packedCount * 4,
        fusions: Fusions(compiled.graph, compiled.records))
      if json { return try Console.print(json: report) }
      options.dump(compiled)
      if graphs { Console.print("as declared:\n" + compiled.graph.text) }
      for record in compiled.records {
        Console.print("\(record.pass)" + (record.changed ? "" : "  (nothing to do)"))
        for remark in record.remarks {
          Console.print("  \(remark.fired ? "+" : "-") \(remark.layer)  \(remark.message)  (\(remark.source))")
        }
        if graphs, let after = record.after { Console.print(after.text) }
      }
      Console.print("\n" + table(layers))
      Console.print(
        String(
          format: "%.2f GFLOP, as declared %.2f; %@ parameters; activations read and written: %@, as declared %@",
          Double(report.flops) / 1e9, Double(report.flopsBefore) / 1e9, grouped(report.parameters),
          megabytes(report.activationBytes), megabytes(report.activationBytesBefore)))
      Console.print(
        "arena \(megabytes(report.arenaBytes)) for one thread, packed weights \(megabytes(report.packedBytes))")
      for line in report.fusions.lines { Console.print(line) }
    }
  }

  private func table(_ layers: [Layer]) -> String {
    let rows = layers.map { layer in
      let tile =
        layer.winograd.map { "F(\($0.size)) \($0.group)×\($0.strip) of \($0.tiles)\($0.shared ? " shared" : "")" }
        ?? layer.tile.map { "\($0.rows * $0.columns)×\($0.strip)" } ?? ""
      return [
        "\(layer.step)", layer.kernel, tile, String(format: "%.1f", Double(layer.cost.flops) / 1e6),
        String(format: "%.2f", Double(layer.cost.activationBytes) / 1e6),
        String(format: "%.2f", Double(layer.cost.parameterBytes) / 1e6), layer.text, layer.layer,
      ]
    }
    return columns(
      [["step", "kernel", "tile", "MFLOP", "act MB", "par MB", "node", "layer"]] + rows, right: [0, 3, 4, 5])
  }

  private struct Report: Encodable {
    struct Pass: Encodable {
      var name: String, changed: Bool, remarks: [Remark]
    }
    var model: String, target: String, passes: [Pass], layers: [Layer], flopsBefore: Int, flops: Int
    var activationBytesBefore: Int
    var activationBytes: Int, parameters: Int, arenaBytes: Int, packedBytes: Int, fusions: Fusions
  }

  struct Layer: Encodable {
    var step: Int
    var layer: String
    var source: String
    var kernel: String
    var text: String
    var shape: String
    var tile: ConvolutionTile?
    var winograd: WinogradTile?
    var cost: Cost
    var arenaOffset: Int?

    init(_ step: Plan.Step, _ plan: Plan) {
      self.step = plan.steps.firstIndex(of: step) ?? 0
      kernel = step.kernel.template
      switch step.kernel {
      case .convDirect(let tile), .convImage(let tile, _): self.tile = tile
      case .convWinograd(let tile), .convImageWinograd(let tile, _): winograd = tile
      default: break
      }
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
