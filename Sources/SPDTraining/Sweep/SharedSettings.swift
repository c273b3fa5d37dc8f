import Foundation
import SPD
import SPDFormats

/// What all trainings of a sweep or an evolution share: settings and initial weights. Two files of its folder record them, so
/// that results of another model, data set or setting are not taken for its own.
struct SharedSettings {
  /// What it is, for messages and as the name of the file of settings: "sweep".
  var kind: String
  var folder: String
  var configuration: TrainingConfiguration
  /// Keys of the settings that differ between trainings.
  var searched: Set<String>
  /// Text that identifies the initial weights.
  var weights: String

  /// Settings that do not affect results.
  private static let free: Set = ["threads", "loader-threads", "max-arena", "save-every", "save-iterations", "strict"]

  private var settingsPath: String { "\(folder)/\(kind).yaml" }
  private var weightsPath: String { folder + "/weights.txt" }

  func write() throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw FormatError(path: folder, problem: "cannot be created: \(error.localizedDescription)") }
    try configuration.write(to: settingsPath)
    try writeAtomically(to: weightsPath) { try $0.write(Array((weights + "\n").utf8)) }
  }

  /// Checks that the folder's trainings ran with the same settings and weights.
  ///
  /// - Throws: `FormatError` if not.
  func check() throws {
    if FileManager.default.fileExists(atPath: weightsPath) {
      let began = try readText(weightsPath).trimmingCharacters(in: .newlines)
      if began != weights { throw other("weights \(began)", weights) }
    }
    guard FileManager.default.fileExists(atPath: settingsPath) else { return }
    let before = try TrainingConfiguration.resolve(file: settingsPath)
    for (old, new) in zip(before.settings, configuration.settings)
    where old.value != new.value && !Self.free.contains(old.key) && !searched.contains(old.key) {
      throw other("\(old.key) \(old.value)", "\(new.value)")
    }
  }

  private func other(_ before: String, _ now: String) -> FormatError {
    let article = "aeiou".contains(kind.first!) ? "an" : "a"
    return FormatError(
      path: folder, problem: "is from \(article) \(kind) with \(before), but this one has \(now)",
      remedy: "Use another folder, or the settings that this \(kind) was started with")
  }

  /// Whether a training started with one configuration can be resumed with another.
  static func agree(_ before: TrainingConfiguration, _ now: TrainingConfiguration) -> Bool {
    zip(before.settings, now.settings).allSatisfy { $0.value == $1.value || free.contains($0.key) }
  }
}

/// Identifies initial weights: a file's name and a hash of its content.
///
/// - Parameter path: the file; nil for weights drawn from the seed.
package func identification(ofWeights path: String?) -> String {
  guard let path else { return "of the seed" }
  guard let data = FileManager.default.contents(atPath: path) else { return path }
  return "\(URL(fileURLWithPath: path).lastPathComponent) \(String(fnv1a(data), radix: 16))"
}
