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
        let read = try await readInput(input, for: options)
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

/// Returns the path of one of several outputs: `y.npy` becomes `y-0.npy`, `y-1.npy`, ….
func numbered(_ path: String, _ index: Int) -> String {
  path.hasSuffix(".npy") ? String(path.dropLast(4)) + "-\(index).npy" : path + "-\(index)"
}

/// Reads an array that can be a model's input: N×C×H×W, not empty.
func readInput(_ path: String, for options: ModelOptions) async throws -> HostTensor {
  let array = try readNPY(path)
  let shape = array.shape
  guard shape.count == 4, !array.values.isEmpty else {
    let remedy =
      switch shape.count {
      case 3 where shape[2] <= 4 && shape[0] > 4: ": transpose H×W×C with numpy's a.transpose(2, 0, 1)[None]"
      case 3: ": give a single image its batch with numpy's a[None]"
      default: ""
      }
    throw Failure(.data, "\(path) has the shape \(crossed(shape)); an input is N×C×H×W\(remedy)")
  }
  // More channels than columns suggests a channels-last image.
  if shape[3] < shape[1], let channels = try? await LoadedModel.load(options.model).graph().input.shape.channels,
    shape[3] == channels, shape[1] != channels
  {
    throw Failure(
      .data,
      "\(path) has the shape \(crossed(shape)), which looks like N×H×W×C; an input is N×C×H×W: transpose it with numpy's "
        + "a.transpose(0, 3, 1, 2)")
  }
  return array
}

/// Formats a shape for messages: `1×3×64×64`.
func crossed(_ shape: [Int]) -> String {
  shape.isEmpty ? "of a single number" : shape.map(String.init).joined(separator: "×")
}
