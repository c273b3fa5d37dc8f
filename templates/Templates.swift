import Foundation

/// Finds the kernel templates: beside the executable, as SwiftPM builds them, or in `../lib/spdc` of an installation.
public enum SPDTemplates {
  /// File texts by name without extension.
  ///
  /// - Throws: `TemplatesNotFound` with the folders that were looked at.
  public static func load(from folder: URL? = nil) throws -> [String: String] {
    let folder = try folder ?? find()
    var texts: [String: String] = [:]
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    where ["c", "h"].contains(file.pathExtension) {
      texts[file.deletingPathExtension().lastPathComponent] = try String(contentsOf: file, encoding: .utf8)
    }
    return texts
  }

  private static func find() throws -> URL {
    let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let candidates = [
      executable.appendingPathComponent("spdc_SPDTemplates.resources/kernels"),
      executable.appendingPathComponent("../lib/spdc/templates").standardizedFileURL,
    ]
    guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw TemplatesNotFound(folders: candidates.map(\.path))
    }
    return found
  }
}

public struct TemplatesNotFound: Error, CustomStringConvertible {
  public var folders: [String]
  public var description: String {
    "the kernel templates are not where this program expects them: " + folders.joined(separator: " or ")
      + "; build with `swift build` or install with `make install`"
  }
}
