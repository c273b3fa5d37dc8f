import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDONNX

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Export a network with its weights to ONNX.",
    discussion: "Opset 17, float32, fixed size and batch. Exports the graph as declared; nothing is folded.")

  @OptionGroup var options: ModelOptions
  @Option(name: .shortAndLong, help: "Output file (.onnx).") var output: String
  @Flag(help: "Print the summary as JSON.") var json = false

  func run() async throws {
    try await reporting {
      let weighted = try await options.load()
      let data = try await Progress("export \(output)").during {
        try onnxModel(
          weighted.graph, parameters: weighted.weights.values(of: weighted.graph), producerVersion: spdcVersion,
          classNames: weighted.classNames)
      }
      try Files.write(data, to: output)
      if json {
        struct Answer: Encodable { var model: String, file: String, bytes: Int }
        try Console.print(json: Answer(model: weighted.graph.name, file: output, bytes: data.count))
      } else {
        Console.print("\(output)  \(megabytes(data.count))")
      }
    }
  }
}
