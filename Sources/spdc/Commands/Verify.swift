import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDFormats
import SPDReference
import SPDRuntime

struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare compiled C with the reference interpreter, layer by layer.",
    discussion: """
      Every intermediate result is compared, then the output. --against compares the output with an array instead of \
      the interpreter's output. The tolerance is |Δ| ≤ abs + rel·max|y| per result. With a training case (.json), \
      training steps run with synthetic weights and input, and losses, gradients and the final state are compared. The \
      exit code is 1 if anything exceeds its tolerance.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Expected output (.npy), or a training case with its reference results (.json).")
  var against: String?
  @Option(
    help: ArgumentHelp("Output file for the computed results of a training case, in its format.", valueName: "file"))
  var report: String?
  @Option(help: "Input array (.npy), or `synthetic`.") var input = "synthetic"
  @Option(name: .customLong("abs"), help: "Absolute tolerance.") var absolute = 5e-4
  @Option(name: .customLong("rel"), help: "Tolerance relative to the largest value of a result.") var relative = 1e-5
  @Flag(help: "Print the comparison as JSON.") var json = false

  func validate() throws {
    if report != nil, !isTraining { throw ValidationError("--report needs --against CASE.json.") }
  }

  private var isTraining: Bool { against?.hasSuffix(".json") ?? false }

  func run() async throws {
    try await reporting {
      if let against, isTraining {
        return try await VerifyTraining(options: options, threads: try threads.threads, json: json, report: report).run(
          against)
      }
      var array: HostTensor?
      if input != "synthetic" { array = try await readInput(input, for: options) }
      let shape = array.map(\.shape)
      let weights = options.weights ?? "synthetic"
      var options = options
      options.weights = weights
      let weighted = try await options.load(
        size: shape.map { Size2D($0[2], $0[3]) }, batch: shape?[0])
      let builder = try Builder(target: options.target)
      // Without buffer reuse every intermediate result can be read after the run.
      let threads = try self.threads.threads
      let pipeline = try await options.compile.tuned(weighted.graph, builder, threads: threads)
      let compiled = try builder.compile(weighted.graph, options: pipeline, reuse: false)
      let network = try await builder.load(compiled)
      let packed = try network.pack(try weighted.weights.file(for: weighted.graph))
      let session = try network.session(packed, threads: threads)
      if let array, array.shape != network.inputShape {
        throw Failure(
          .data,
          "\(input) has the shape \(crossed(array.shape)), but \(network.name) takes \(crossed(network.inputShape))")
      }
      let values = array?.values ?? syntheticInput(weighted.graph.input.shape)
      let output = try session.infer(values)

      var layers = try compiled.compareLayers(
        weighted, session, values, absolute: absolute, relative: relative)
      let expected: [Float]
      let reference: String
      if let against {
        (expected, reference) = (try expectedOutput(against, network.name, shapes: network.outputShapes), against)
      } else {
        // Interpreting the graph as declared checks the passes too.
        let progress = Progress("interpreting as declared", total: weighted.graph.nodes.count)
        defer { progress.finish() }
        expected = try Interpreter(graph: weighted.graph, parameters: weighted.weights.values(of: weighted.graph))
          .outputs(input: values, progress: { done, _ in progress.update(done) }).flatMap { $0 }
        reference = "the interpreter on the graph as declared"
      }
      layers.append(
        Comparison("output", "against \(reference)", output, expected, absolute: absolute, relative: relative))
      try report(layers, model: network.name)
    }
  }

  /// Reads the expected arrays of all outputs, concatenated; several are numbered as `run` writes them.
  private func expectedOutput(_ path: String, _ name: String, shapes: [[Int]]) throws -> [Float] {
    try shapes.enumerated().flatMap { index, shape in
      let path = shapes.count == 1 ? path : numbered(path, index)
      let file = try readNPY(path)
      guard file.shape == shape else {
        throw Failure(.data, "\(path) has the shape \(crossed(file.shape)), but \(name) gives \(crossed(shape))")
      }
      return file.values
    }
  }

  private func report(_ layers: [Comparison], model: String) throws {
    let off = layers.first { !$0.isWithin }
    if json {
      struct Answer: Encodable {
        var model: String, ok: Bool, firstOff: String?, maxDelta: Double, layers: [Comparison]
      }
      try Console.print(
        json: Answer(
          model: model, ok: off == nil, firstOff: off?.layer, maxDelta: layers.last?.maxDelta ?? 0, layers: layers))
    } else {
      let rows = layers.map {
        [
          $0.isWithin ? "ok" : "OFF", String(format: "%.2e", $0.maxDelta), String(format: "%.2e", $0.maxValue),
          $0.layer,
          $0.node,
        ]
      }
      Console.print(columns([["", "max|Δ|", "max|y|", "layer", "node"]] + rows, right: [1, 2]))
      if let off {
        Console.print(
          "first off: \(off.layer), \(off.beyond) of \(off.count) values beyond \(absolute) + \(relative)·max|y|\n  \(off.node)"
        )
      } else {
        Console.print("\(layers.count) results within \(absolute) + \(relative)·max|y|")
      }
    }
    if off != nil { throw ExitCode(Failure.Code.different.rawValue) }
  }
}
