import ArgumentParser
import SPDDriver

/// Selects where a training step updates its parameters.
struct UpdateInBackward: ParsableArguments {
  @Flag(
    name: .customLong("update-in-backward"),
    help: ArgumentHelp(
      "Update each parameter in the backward pass of a training step, which frees its gradient's memory at once.",
      discussion: "Gradients are not kept, so they cannot be clipped, accumulated or inspected."))
  var updateInBackward = false
}
