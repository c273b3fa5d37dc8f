import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDTraining

/// Options of `train`, `val` and `sweep`: a configuration from the preset, a file and the command line, later ones winning.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: """
      Data set. Classification: a folder with CIFAR, Tiny ImageNet, IDX files (MNIST) or class folders; `idx:DIR:SIDE` \
      for IDX images averaged to a smaller side (28×28 is padded to 32×32, 14×14 to 16×16); `shapes:SIDE` or \
      `shapes:SIDE:RADIUS` for drawn images. Detection: a data.yaml of YOLOv5, its folder, a .json of COCO annotations, or \
      `shapes:SIDE`.
      """
  )
  var data: String?
  @Option(help: ArgumentHelp("Preset of settings. Default: the model's.", valueName: "name"))
  var preset: String?
  @Option(help: ArgumentHelp("YAML file of settings that override the preset's.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp("Override one setting; `spdc train --settings` lists them.", valueName: "key=value"))
  var set: [String] = []
  @Option(help: "Number of OpenMP threads. Default: what affinity, CPU quota and OMP_NUM_THREADS allow.")
  var threads: Int?
  @Option(name: .customLong("loader-threads"), help: "Number of threads that read and augment images.")
  var loaderThreads: Int?
  @OptionGroup var arena: ArenaLimit
  @Flag(help: "Fail on a broken image; otherwise it is reported and skipped.")
  var strict = false

  /// Converts the command line to settings, later ones overriding earlier ones.
  func settings(_ options: ModelOptions) throws -> [Setting] {
    if let size = options.size?.size, size.height != size.width {
      throw Failure(.usage, "--size must be square here, such as \(size.height); it is \(size.height)×\(size.width)")
    }
    return try set.map { try Setting(argument: $0) }
      + Self.settings([
        "preset": preset, "data": data, "threads": threads.map(String.init),
        "max-arena": arena.maxArena.map { "\(Double($0.bytes) / 1e6)" },
        "strict": strict ? "true" : nil, "loader-threads": loaderThreads.map(String.init),
        "batch": options.batch.map(String.init),
        "classes": options.classes.map(String.init), "image-size": (options.size?.size.height).map(String.init),
      ])
  }

  static func settings(_ values: [String: String?]) -> [Setting] {
    values.sorted { $0.key < $1.key }.compactMap { key, value in
      value.map { Setting(key: key, value: .word($0), source: .commandLine) }
    }
  }

  /// Rejects compile options that do not apply to training.
  static func check(_ options: ModelOptions) throws {
    if options.tune { throw ValidationError("--tune measures inference kernels only; remove it.") }
  }
}
