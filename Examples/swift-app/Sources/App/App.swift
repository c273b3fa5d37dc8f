import SPDRuntime
import resnet18_spd

/// Classifies one input with a network that is linked into this program.
///
///     swift run -c release App [THREADS [WEIGHTS]]
@main
struct App {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let threads = arguments.first.flatMap { Int($0) } ?? 1
    let weightFile = arguments.dropFirst().first ?? "Sources/resnet18_spd/resnet18_spd.spdw"

    let network = try Network(module: resnet18_spd_module())
    let weights = try network.pack(ParameterFile(mapping: weightFile))
    let session = try network.session(weights, threads: threads)

    let input = (0..<network.inputCount).map { Float($0) / Float(network.inputCount) }
    let scores = try session.infer(input)
    for (index, score) in scores.enumerated().sorted(by: { $0.element > $1.element }).prefix(5) {
      print("class \(index): \(score)")
    }
  }
}
