import Foundation

/// Settings from the environment.
enum Settings {
  static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// `SPDC`: path of the command; by default the one that `make` builds.
  static let spdc = environment["SPDC"].map { URL(filePath: $0) } ?? repository.appending(path: ".build/release/spdc")

  /// `SPDC_THREADS`: number of threads; by default one per processor.
  static func threads() throws -> Int {
    guard let text = environment["SPDC_THREADS"] else { return ProcessInfo.processInfo.activeProcessorCount }
    guard let threads = Int(text), threads > 0 else {
      throw Failure("SPDC_THREADS is \(text), which is not a positive number")
    }
    return threads
  }

  /// A stamp that changes with the command.
  static func spdcStamp() throws -> String {
    let path = spdc.resolvingSymlinksInPath().path
    guard let file = try? FileManager.default.attributesOfItem(atPath: path),
      let date = file[.modificationDate] as? Date
    else { throw Failure("there is no \(path): run `make` in \(repository.path), or set SPDC to the command") }
    return "\(path) \(date.timeIntervalSince1970)"
  }

  private static let environment = ProcessInfo.processInfo.environment
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
