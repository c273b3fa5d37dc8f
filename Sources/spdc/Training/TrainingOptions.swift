import ArgumentParser
import Foundation
import SPD
import SPDDriver
import SPDTraining

/// What `train`, `val` and `sweep` take: a configuration in layers, the preset, a file, the command line.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: "A folder of CIFAR, Tiny ImageNet or class folders; `shapes:SIDE` or `shapes:SIDE:RADIUS` for drawn images."
  )
  var data: String?
  @Option(help: ArgumentHelp("Settings that the others start from; by default the model's.", valueName: "name"))
  var preset: String?
  @Option(help: ArgumentHelp("A YAML file of settings, over the preset's.", valueName: "file"))
  var config: String?
  @Option(
    help: ArgumentHelp("One setting, over all others; `spdc train --settings` lists them.", valueName: "key=value"))
  var set: [String] = []
  @Option(help: "OpenMP threads that compute; by default one per processor.")
  var threads: Int?
  @Option(name: .customLong("loader-threads"), help: "Threads that read and augment images.")
  var loaderThreads: Int?
  @OptionGroup var arena: ArenaLimit
  @Flag(help: "A broken image ends the command; otherwise it is named and left out.")
  var strict = false

  /// The command line as settings, the later over the earlier.
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

  /// Options of compiling that have no meaning for a network which trains.
  static func check(_ options: ModelOptions) throws {
    if options.tune { throw ValidationError("--tune measures kernels of inference only; leave it out.") }
  }
}
