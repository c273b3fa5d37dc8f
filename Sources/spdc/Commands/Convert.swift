import ArgumentParser
import Foundation
import SPDDriver
import SPDFormats
import SPDTraining

struct Convert: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert a weight file.",
    discussion: """
      Reads safetensors, .npz, PyTorch .pt/.pth and .spdw, detected by content. Writes .safetensors or .npz, chosen by \
      extension, as float32 under the state-dict keys. A pickle is parsed, never executed. Of a training checkpoint, the \
      weights that `spdc val` takes are written.
      """)

  @Argument(help: "Input file.") var input: String
  @Argument(help: "Output file (.safetensors or .npz).") var output: String
  @Flag(help: "Store 16-bit floats (.safetensors): half the size, three decimal digits.") var half = false
  @Flag(help: "Print the summary as JSON.") var json = false

  func run() async throws {
    try await reporting {
      let format = URL(fileURLWithPath: output).pathExtension.lowercased()
      guard ["safetensors", "npz"].contains(format) else {
        throw Failure(
          .usage,
          "\(output): the extension must be .safetensors or .npz (a .spdw belongs to a network: `spdc compile --weights`)"
        )
      }
      guard !half || format == "safetensors" else { throw Failure(.usage, "--half needs a .safetensors") }
      let checkpoint = try WeightLoader.read(input)
      let tensors: [NamedTensor] = checkpoint.order.compactMap { name in
        checkpoint.tensors[name].map { (name, $0) }
      }
      try Files.writing {
        if format == "npz" {
          try writeNPZ(tensors, to: output)
        } else {
          try writeWeights(checkpoint, as: half ? .float16 : .float32, to: output)
        }
      }
      let values = tensors.reduce(0) { $0 + $1.tensor.values.count }
      if json {
        struct Answer: Encodable {
          var input: String, origin: String, output: String, tensors: Int, values: Int, classes: Int?, names: [String]?
        }
        try Console.print(
          json: Answer(
            input: input, origin: checkpoint.origin, output: output, tensors: tensors.count, values: values,
            classes: checkpoint.classes, names: checkpoint.classNames))
      } else {
        Console.print("\(output)  \(tensors.count) tensors, \(grouped(values)) values, from \(checkpoint.origin)")
      }
    }
  }
}
