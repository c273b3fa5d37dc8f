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
      Export.self, Train.self, Val.self, SweepCommand.self, Doctor.self,
    ])

  // Names of files in the arguments are bytes, which Swift's own `CommandLine.arguments` does not keep.
  static func main() async { await main(FileName.arguments) }
}
