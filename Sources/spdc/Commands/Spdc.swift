import ArgumentParser

@main
struct Spdc: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spdc",
    abstract: "Compile convolutional networks written in Swift to plain OpenMP C.",
    version: spdcVersion,
    subcommands: [Run.self])
}
