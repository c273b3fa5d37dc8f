import SPDFormats
import SPDDriver

/// Metadata that a resumed run is checked against: network and images must match; generated code must match for bitwise
/// equal results.
package struct RunFacts {
  package var facts: [String: String]
  /// The key of the training images' hash.
  package static let training = "training"

  package init(modules: TrainingModules, data: some RunData) {
    facts = [
      "network": modules.graph.name, "parameters": String(modules.graph.parameterHash, radix: 16),
      "code": String(modules.trainable.codeHash, radix: 16), "images": String(data.trainingCount),
      Self.training: String(data.trainingHash, radix: 16),
      "validation": String(data.validationHash, radix: 16), "options": modules.options,
    ]
    let input = CheckpointInput(size: data.size, preprocessing: data.preprocessing)
    facts.merge(input.metadata) { $1 }
  }

  /// Checks a checkpoint against this run, and warns about differences that do not prevent resuming.
  ///
  /// - Throws: `Failure` if network or images differ.
  package func check(_ checkpoint: TrainingCheckpoint, path: String, classNames: [String]) throws {
    let old = checkpoint.facts
    // The last layer, and so the parameters, follow the classes.
    guard checkpoint.classNames.count == classNames.count else {
      throw Failure(
        .data,
        "\(path) is from a run with \(checkpoint.classNames.count) classes, but there are \(classNames.count) now; resume with the "
          + "same data set")
    }
    guard old["parameters"] == facts["parameters"] else {
      throw Failure(
        .data,
        "\(path) is a checkpoint of \(old["network"] ?? "another network") and does not match \(facts["network"]!); "
          + "give the model of the original run")
    }
    // Checkpoints of earlier versions use another key.
    let images = old["images"] ?? old["pictures"]
    guard images == facts["images"], checkpoint.classNames == classNames else {
      throw Failure(
        .data,
        "\(path) is from a run on \(images ?? "other") images of \(checkpoint.classNames.count) classes, but "
          + "there are \(facts["images"]!) of \(classNames.count) now; resume with the same data set")
    }
    guard old["input"] == facts["input"] else {
      throw Failure(
        .data,
        "\(path) is from a run on images of \(old["input"] ?? "another size"), but they are \(facts["input"]!) now; "
          + "resume with the same data set")
    }
    // Checkpoints of earlier versions lack some facts.
    guard old[Self.training] == nil || old[Self.training] == facts[Self.training] else {
      throw Failure(
        .data, "\(path) is from a run whose images had other names or labels; resume with the same data set")
    }
    if let before = old["validation"], before != facts["validation"] {
      Messages.warning(
        "the validation images have changed: later metrics and the best checkpoint refer to the new ones")
    }
    if let before = old["options"], before != facts["options"] {
      Messages.warning(
        "the run was started with \(before) and resumes with \(facts["options"]!): results are not bitwise reproducible"
      )
    } else if old["code"] != facts["code"] {
      Messages.warning(
        "the run was started with other generated code (another version, compiler or processor): results are not "
          + "bitwise reproducible")
    }
  }
}

/// An earlier run to resume.
package struct EarlierRun {
  package var checkpoint: TrainingCheckpoint
  package var path: String
  package var folder: RunFolder

  /// Settings that may change when resuming.
  private static let free: Set = [
    "data", "threads", "loader-threads", "epochs", "save-every", "save-iterations", "strict", "validate-every",
    "max-arena",
  ]

  /// Reads the checkpoint to resume from.
  ///
  /// - Parameter argument: the folder of a run, or one of its checkpoints.
  package init(_ argument: String) throws {
    if argument.hasSuffix(".safetensors") {
      path = argument
      let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 2, parts[parts.count - 2] == "checkpoints" else {
        throw Failure(
          .usage,
          "\(argument) is not in the checkpoints folder of a run; give the run's folder, such as runs/resnet18-spd")
      }
      let parent = parts.dropLast(2).joined(separator: "/")
      folder = try RunFolder(existing: parent.isEmpty ? "." : parent)
    } else {
      folder = try RunFolder(existing: argument)
      path = folder.checkpoint(.last)
    }
    checkpoint = try TrainingCheckpoint(contentsOf: path)
  }

  /// Returns the run's configuration with the given settings, if they may change.
  package func configuration(_ settings: [Setting]) throws -> TrainingConfiguration {
    let began = checkpoint.state.configuration
    var configuration = began
    try configuration.apply(settings)
    let before = began.settings
    for (index, setting) in configuration.settings.enumerated()
    where setting.value != before[index].value && !Self.free.contains(setting.key) {
      throw Failure(
        .usage,
        "the run was started with \(setting.key) \(before[index].value), which cannot change; a resumed run can change "
          + Self.free.sorted().joined(separator: ", "))
    }
    return configuration
  }
}
