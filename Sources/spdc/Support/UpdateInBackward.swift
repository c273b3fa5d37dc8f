import ArgumentParser
import SPDDriver

/// Where a training step updates its parameters.
struct UpdateInBackward: ParsableArguments {
  @Flag(
    name: .customLong("update-in-backward"),
    help: ArgumentHelp(
      "Of training: update each parameter as soon as its gradient is there, whose memory is then free.",
      discussion: "Without gradients that last there is nothing to clip, to add up over batches or to look at."))
  var updateInBackward = false
}
