import ArgumentParser
import SPDCompiler
import SPDDriver

/// ``ModelOptions`` for `spdc detect`, whose `--classes` names the classes to find: their number is the weights'.
struct DetectModelOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Model file (.swift), graph (.json) or name of a shipped model.",
      discussion: "A model file is a program that is compiled and run to obtain its graph."))
  var model: String

  @Option(help: ArgumentHelp("Height and width of the input.", valueName: "HxW"))
  var size: SizeArgument?

  @Option(help: "Number of images to run at once.")
  var batch = 1

  @Option(help: "Weight file (safetensors, .npz, PyTorch .pt/.pth, .spdw), or `synthetic`.")
  var weights: String?

  @Option(help: "Target: native, x86-64-v4, x86-64-v3, x86-64, aarch64 or scalar.")
  var target = "native"

  @Flag(help: "Disable every fusion: each reindexing, normalisation, activation and sum becomes a separate loop.")
  var unfused = false

  @Flag(help: "Sum products of convolutions in the order of the definition; disables Winograd.")
  var exact = false

  @Option(
    name: .customLong("largest-tile"),
    help: "Largest Winograd tile: 2, 4, 5 or 6; smaller tiles are more precise. Default: 6.")
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
    if batch < 1 { throw ValidationError("--batch must be 1 or more.") }
    if let largestTile, ![2, 4, 5, 6].contains(largestTile) {
      throw ValidationError("--largest-tile must be 2, 4, 5 or 6.")
    }
    if exact, lowMemory { throw ValidationError("--exact and --low-memory are mutually exclusive.") }
  }

  /// These options as the libraries take them.
  var compile: CompileOptions {
    var options = CompileOptions()
    (options.size, options.batch, options.weights) = (size?.size, batch, weights)
    (options.target, options.unfused, options.exact, options.lowMemory) = (target, unfused, exact, lowMemory)
    (options.largestTile, options.disabledPasses, options.tune) = (largestTile, disabled, tune)
    return options
  }
}
