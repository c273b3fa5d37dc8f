import ArgumentParser
import SPDDriver
import SPDFormats

@main
struct Spdc: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spdc",
    abstract: "Compile convolutional networks written in Swift to plain OpenMP C.",
    version: spdcVersion,
    subcommands: [
      Compile.self, Run.self, Detect.self, Classify.self, Bench.self, Explain.self, Verify.self, Convert.self,
      Export.self, Train.self, Val.self, Evaluate.self, Compare.self, SweepCommand.self, Dataset.self, Doctor.self,
    ])

  // File names in the arguments are bytes, which `CommandLine.arguments` does not preserve.
  static func main() async { await main(FileName.arguments) }
}
