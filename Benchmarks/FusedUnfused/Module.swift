import Foundation
import SPD

/// A network that the command `spdc` compiled to a shared library, as any user of it would.
///
/// It is cached in the repository's `build` folder until the network or the command changes.
struct Module {
  let prefix: String
  private let folder: URL

  var library: String { folder.appending(path: "lib\(prefix).so").path }
  var parameters: String { folder.appending(path: "\(prefix).spdw").path }

  init(_ graph: Graph, options: [String]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(graph)
    let key = data + Data("\(options) \(try Settings.spdcStamp())".utf8)
    prefix = graph.name.replacing("-", with: "_")
    folder = Settings.repository.appending(path: "build/benchmarks/\(prefix)-\(String(fnv1a(key), radix: 16))")
    // The last of the files that the command moves into place.
    if FileManager.default.fileExists(atPath: folder.appending(path: "README.md").path) { return }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let model = folder.appending(path: "graph.json")
    try data.write(to: model)
    try Self.run(["compile", model.path, "--weights", "synthetic", "-o", folder.path] + options)
  }

  private static func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = Settings.spdc
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure("\(Settings.spdc.path) \(arguments.joined(separator: " ")) failed (\(process.terminationStatus))")
    }
  }
}
