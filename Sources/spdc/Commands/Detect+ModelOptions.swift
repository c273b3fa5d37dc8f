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

  @OptionGroup var code: CodeOptions

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch must be 1 or more.") }
  }

  /// These options as the libraries take them.
  var compile: CompileOptions {
    var options = CompileOptions()
    (options.size, options.batch, options.weights) = (size?.size, batch, weights)
    code.apply(to: &options)
    return options
  }
}
