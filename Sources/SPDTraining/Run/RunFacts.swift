import SPDFormats
import SPDDriver

/// What a run must find again when it goes on: the same network, the same images, and, for the same bits, the same
/// code.
package struct RunFacts {
  package var facts: [String: String]
  /// The fact that tells the images for training from others.
  package static let training = "training"

  package init(modules: TrainingModules, data: TrainingData) {
    facts = [
      "network": modules.graph.name, "parameters": String(modules.graph.parameterHash, radix: 16),
      "code": String(modules.codeHash, radix: 16), "images": String(data.training.count),
      Self.training: String(data.trainingHash, radix: 16),
      "validation": String(data.validationHash, radix: 16), "options": modules.options,
    ]
    let input = CheckpointInput(size: data.size, preprocessing: data.transform.preprocessing)
    facts.merge(input.metadata) { $1 }
  }

  /// - Throws: `Failure` where the checkpoint is of another run.
  package func check(_ checkpoint: TrainingCheckpoint, path: String, classNames: [String]) throws {
    let old = checkpoint.facts
    guard old["parameters"] == facts["parameters"] else {
      throw Failure(
        .data,
        "\(path) is of \(old["network"] ?? "another network") and does not fit \(facts["network"]!); "
          + "name the model that the run began with")
    }
    // Checkpoints of earlier versions call it otherwise.
    let images = old["images"] ?? old["pictures"]
    guard images == facts["images"], checkpoint.classNames == classNames else {
      throw Failure(
        .data,
        "\(path) is of a run on \(images ?? "other") images of \(checkpoint.classNames.count) classes, but "
          + "there are \(facts["images"]!) of \(classNames.count) now; go on with the same data set")
    }
    guard old["input"] == facts["input"] else {
      throw Failure(
        .data,
        "\(path) is of a run on images of \(old["input"] ?? "another size"), and they are \(facts["input"]!) now; "
          + "go on with the same data set")
    }
    // Checkpoints of earlier versions lack some facts.
    guard old[Self.training] == nil || old[Self.training] == facts[Self.training] else {
      throw Failure(
        .data, "\(path) is of a run whose images had other names or labels than now; go on with the same data set")
    }
    if let before = old["validation"], before != facts["validation"] {
      Messages.warning(
        "the images for validation are others than before: later figures, and which checkpoint is best, go by them")
    }
    if let before = old["options"], before != facts["options"] {
      Messages.warning(
        "the run began with \(before), and now there is \(facts["options"]!): it goes on, but not bit for bit")
    } else if old["code"] != facts["code"] {
      Messages.warning(
        "the run began with other generated code (another version, compiler or processor): it goes on, but not bit for "
          + "bit")
    }
  }
}

/// Going on with an earlier run.
package struct EarlierRun {
  package var checkpoint: TrainingCheckpoint
  package var path: String
  package var folder: RunFolder

  /// Settings that do not change what has been computed so far.
  private static let free: Set = [
    "data", "threads", "loader-threads", "epochs", "save-every", "save-iterations", "strict", "validate-every",
    "max-arena",
  ]

  /// - Parameter argument: the folder of a run, or one of its checkpoints.
  package init(_ argument: String) throws {
    if argument.hasSuffix(".safetensors") {
      path = argument
      let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 2, parts[parts.count - 2] == "checkpoints" else {
        throw Failure(
          .usage, "\(argument) is in no run's checkpoints folder; give the run's folder, such as runs/resnet18-spd")
      }
      let parent = parts.dropLast(2).joined(separator: "/")
      folder = try RunFolder(existing: parent.isEmpty ? "." : parent)
    } else {
      folder = try RunFolder(existing: argument)
      path = folder.checkpoint(.last)
    }
    checkpoint = try TrainingCheckpoint(contentsOf: path)
  }

  /// The run's configuration with what may be changed about it.
  package func configuration(_ settings: [Setting]) throws -> TrainingConfiguration {
    let began = checkpoint.state.configuration
    var configuration = began
    try configuration.apply(settings)
    let before = began.settings
    for (index, setting) in configuration.settings.enumerated()
    where setting.value != before[index].value && !Self.free.contains(setting.key) {
      throw Failure(
        .usage,
        "the run began with \(setting.key) \(before[index].value), and a resumed one keeps it; it can change "
          + Self.free.sorted().joined(separator: ", "))
    }
    return configuration
  }
}
