import ArgumentParser
import SPDDriver

/// How a network becomes C.
struct CodeOptions: ParsableArguments {
  @Option(help: "Target: native, x86-64-v4, x86-64-v3, x86-64, aarch64 or scalar.")
  var target = "native"

  @Flag(help: "Disable every fusion: each reindexing, normalisation, activation and sum becomes a separate loop.")
  var unfused = false

  @Flag(help: "Sum products of convolutions in the order of the definition; disables Winograd.")
  var exact = false

  @Option(
    name: .customLong("largest-tile"),
    help:
      "Largest Winograd tile: 2, 4, 5 or 6; smaller tiles are more precise. Default: 6; for training 2, or 4 without ReLU."
  )
  var largestTile: Int?

  @Flag(
    name: .customLong("low-memory"), help: "Use Winograd's larger weights only where the speedup per byte is greatest.")
  var lowMemory = false

  @Flag(
    help: ArgumentHelp(
      "Measure which kernels are fastest on this machine, and use those.",
      discussion: "Measurements are cached by processor, target and number of threads."))
  var tune = false

  @Option(
    name: .customLong("disable-pass"), help: ArgumentHelp("Disable a fusion; may be repeated.", valueName: "name"))
  var disabled: [String] = []

  func validate() throws {
    if let largestTile, ![2, 4, 5, 6].contains(largestTile) {
      throw ValidationError("--largest-tile must be 2, 4, 5 or 6.")
    }
    if exact, lowMemory { throw ValidationError("--exact and --low-memory are mutually exclusive.") }
  }

  func apply(to options: inout CompileOptions) {
    (options.target, options.unfused, options.exact, options.lowMemory) = (target, unfused, exact, lowMemory)
    (options.largestTile, options.disabledPasses, options.tune) = (largestTile, disabled, tune)
  }
}
