import ArgumentParser
import SPDDriver

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a network's speed.",
    discussion: """
      Variants run interleaved, so that load on the machine affects them equally. Shares are relative to the FMA peak and \
      memory bandwidth measured in the same run. Weights and input are synthetic unless given.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(
    help: ArgumentHelp(
      "Also measure a second variant of the network.",
      discussion: "`sites` compares with `unfused`, and also times each space-to-depth with the layers around it.",
      valueName: "variant"))
  var compare: OtherVariant?
  @Option(
    help: ArgumentHelp(
      "Also measure beside busy neighbours.",
      discussion: "`memory` copies memory on every processor that the network leaves free (see --threads).",
      valueName: "load"))
  var beside: Neighbours?
  @Flag(help: "Time each step.") var layers = false
  @Flag(help: "Measure training steps instead of inference.") var train = false
  @OptionGroup var arena: ArenaLimit
  @OptionGroup var update: UpdateInBackward
  @Option(help: "Approximate duration of the measurement in seconds.") var seconds = 5.0
  @Flag(help: "Print the measurements as JSON.") var json = false

  func validate() throws {
    if train, compare != nil || beside != nil || options.tune {
      throw ValidationError("--train cannot be combined with --compare, --beside or --tune.")
    }
    if beside != nil, compare != nil { throw ValidationError("--beside cannot be combined with --compare.") }
    if arena.maxArena != nil, !train { throw ValidationError("--max-arena needs --train.") }
    if update.updateInBackward, !train { throw ValidationError("--update-in-backward needs --train.") }
    guard seconds > 0, seconds <= 3600 else {
      throw ValidationError("--seconds must be above 0 and no more than 3600.")
    }
  }

  func run() async throws {
    try await reporting {
      let threads = try self.threads.threads
      let model = try await LoadedModel.load(options.model)
      if train {
        let report = try await TrainingBenchReport.measure(
          model, options: options.compile, maxArena: arena.maxArena?.bytes,
          updatesInBackward: update.updateInBackward, threads: threads, seconds: seconds, timesLayers: layers)
        return json ? try Console.print(json: report) : Console.print(report.text)
      }
      let report = try await BenchReport.measure(
        model, options: options.compile, against: compare, besideMemory: beside == .memory, threads: threads,
        seconds: seconds, timesLayers: layers)
      if json { try Console.print(json: report) } else { Console.print(report.text) }
    }
  }
}

/// What `--beside` runs.
enum Neighbours: String, ExpressibleByArgument, CaseIterable { case memory }

/// The variant named by `--compare`.
extension OtherVariant: ExpressibleByArgument {
  public static var allValueStrings: [String] { names }
}
