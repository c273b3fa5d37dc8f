import ArgumentParser
import Foundation
import SPD
import SPDCompiler
import SPDDriver
import SPDFormats

struct Run: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a network on an array.",
    discussion:
      "Arrays are float32 .npy files. The input is N×C×H×W; outputs are N×classes, N×C×H×W or N×boxes×(5 + classes).")

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Input array (.npy), or `synthetic`.") var input: String
  @Option(help: "Output file (.npy); several outputs are numbered.") var output: String
  @Flag(help: "Print the summary as JSON.") var json = false

  func run() async throws {
    try await reporting {
      try LoadedModel.check(options.model)
      var size = options.size?.size
      var batch = options.batch
      var array: HostTensor?
      if input != "synthetic" {
        let read = try await readInput(input, for: options.model)
        // Size and batch are those of the array unless set by options.
        size = size ?? Size2D(read.shape[2], read.shape[3])
        batch = batch ?? read.shape[0]
        array = read
      }
      let model = try await options.load(size: size, batch: batch)
      let builder = try Builder(target: options.target)
      let threads = try self.threads.threads
      let pipeline = try await options.compile.tuned(model.graph, builder, threads: threads)
      let ready = try await builder.ready(model, options: pipeline)
      options.dump(ready.compiled)
      let shape = ready.network.inputShape
      if let array, array.shape != shape {
        throw Failure(
          .data, "\(input) has the shape \(crossed(array.shape)), but \(ready.network.name) takes \(crossed(shape))")
      }
      let values = array?.values ?? syntheticInput(model.graph.input.shape)
      let session = try ready.network.session(ready.packed, threads: threads)
      let start = ContinuousClock.now
      let result = try session.infer(values)
      let elapsed = ContinuousClock.now - start
      var offset = 0
      var written: [String] = []
      for (index, shape) in ready.network.outputShapes.enumerated() {
        let count = shape.reduce(1, *)
        let path = ready.network.outputShapes.count == 1 ? output : numbered(output, index)
        let values = HostTensor(shape: shape, values: Array(result[offset..<offset + count]))
        try Files.writing { try writeNPY(values, to: path) }
        written.append(path)
        offset += count
      }
      if json {
        struct Answer: Encodable {
          var model: String, input: [Int], outputs: [[Int]], files: [String], threads: Int, ms: Double
        }
        try Console.print(
          json: Answer(
            model: ready.network.name, input: shape, outputs: ready.network.outputShapes, files: written,
            threads: threads, ms: elapsed.milliseconds))
      } else {
        for (path, shape) in zip(written, ready.network.outputShapes) {
          Console.print("\(path)  \(crossed(shape))")
        }
      }
      // Checked last, so that the file exists for inspection.
      try OutputNotFinite.check(result, ready.network.outputShapes, of: ready.network.name)
    }
  }
}
