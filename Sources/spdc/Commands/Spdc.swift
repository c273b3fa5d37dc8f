import ArgumentParser
import SPDDriver

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
}
