import Foundation

/// Location of the library `SPD` that model files are compiled against: beside the executable, as SwiftPM builds it, or
/// `../lib/spdc` of an installation.
package struct SPDLibrary {
  package var modules: String
  package var objects: [String]
  /// Identifies the version of the library's files.
  package var stamp: String

  package static func find() throws -> SPDLibrary {
    let manager = FileManager.default
    let built = Files.executableFolder
    let installed = built.appendingPathComponent("../lib/spdc").standardizedFileURL
    let module: URL
    var library: SPDLibrary
    if manager.fileExists(atPath: installed.appendingPathComponent("libSPD.a").path) {
      module = installed.appendingPathComponent("SPD.swiftmodule")
      library = SPDLibrary(
        modules: installed.path, objects: [installed.appendingPathComponent("libSPD.a").path], stamp: "")
    } else {
      module = built.appendingPathComponent("Modules/SPD.swiftmodule")
      let folder = built.appendingPathComponent("SPD.build")
      // SwiftPM leaves objects of sources that were renamed, which would define everything twice.
      let sources = try? String(contentsOf: folder.appendingPathComponent("sources"), encoding: .utf8)
      let current = sources?.split(separator: "\n").map { URL(fileURLWithPath: String($0)).lastPathComponent + ".o" }
      let objects = (try? manager.contentsOfDirectory(atPath: folder.path))?
        .filter { $0.hasSuffix(".o") && current?.contains($0) ?? true }.sorted()
      guard let objects, !objects.isEmpty, manager.fileExists(atPath: module.path) else {
        throw Failure(
          .unavailable,
          "the library SPD that model files import is neither in \(built.path) nor in \(installed.path); "
            + "build with `swift build -c release` or install with `make install`")
      }
      library = SPDLibrary(
        modules: built.appendingPathComponent("Modules").path,
        objects: objects.map { folder.appendingPathComponent($0).path }, stamp: "")
    }
    for path in [module.path] + library.objects {
      let attributes = try? manager.attributesOfItem(atPath: path)
      library.stamp += "\(path) \(attributes?[.modificationDate] ?? "") \(attributes?[.size] ?? "")\n"
    }
    return library
  }
}
