import ArgumentParser
import SPDDriver

struct Verify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare compiled C with the reference interpreter, layer by layer.",
    discussion: """
      Every intermediate result is compared, then the output. --against compares the output with an array instead of \
      the interpreter's output. The tolerance is |Δ| ≤ abs + rel·max|y| per result. With a training case (.json), \
      training steps run with synthetic weights and input, and losses, gradients and the final state are compared. The \
      exit code is 1 if anything exceeds its tolerance.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Expected output (.npy), or a training case with its reference results (.json).")
  var against: String?
  @Option(
    help: ArgumentHelp("Output file for the computed results of a training case, in its format.", valueName: "file"))
  var report: String?
  @Option(help: "Input array (.npy), or `synthetic`.") var input = "synthetic"
  @Option(name: .customLong("abs"), help: "Absolute tolerance.") var absolute = 5e-4
  @Option(name: .customLong("rel"), help: "Tolerance relative to the largest value of a result.") var relative = 1e-5
  @Flag(help: "Print the comparison as JSON.") var json = false

  func validate() throws {
    if report != nil, !isTraining { throw ValidationError("--report needs --against CASE.json.") }
  }

  private var isTraining: Bool { against?.hasSuffix(".json") ?? false }

  func run() async throws {
    try await reporting {
      let threads = try self.threads.threads
      guard let against, isTraining else {
        let found = try await Verification(
          options.model, options: options.compile, input: input, against: against, absolute: absolute,
          relative: relative, threads: threads)
        if json { try Console.print(json: found) } else { Console.print(found.text) }
        if !found.ok { throw ExitCode(Failure.Code.different.rawValue) }
        return
      }
      let wanted = try TrainingCase.read(against)
      let (model, found) = try await wanted.run(options.model, options.compile, threads: threads, path: against)
      if let report { try found.write(to: report) }
      let comparison = TrainingComparison(wanted.deviations(of: found), model: model)
      if json { try Console.print(json: comparison) } else { Console.print(comparison.text(against: against)) }
      if !comparison.ok { throw ExitCode(Failure.Code.different.rawValue) }
    }
  }
}
