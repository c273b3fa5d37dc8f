import Foundation
import SPDFormats

extension RunFolder {
  /// Returns the folder of a run that ended before its first checkpoint, for example by a signal or a full disk. A run can be
  /// started in it without losing results. Nil for any other folder.
  package static func begun(at path: String) -> RunFolder? {
    guard let folder = try? RunFolder(existing: path),
      let checkpoints = try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints),
      !checkpoints.contains(where: { $0.hasSuffix(".safetensors") })
    else { return nil }
    let hasOthers = [folder.configuration, folder.report].contains { FileManager.default.fileExists(atPath: $0) }
    return folder.hasNoResults || (!hasOthers && !FileManager.default.fileExists(atPath: folder.results))
      ? folder : nil
  }

  /// Whether results.csv is empty or contains only the header.
  private var hasNoResults: Bool {
    guard let text = try? String(contentsOfFile: results, encoding: .utf8) else { return false }
    return text.isEmpty || (text.hasPrefix("epoch,") && text.split(separator: "\n").count == 1)
  }

  /// Path of the run's configuration; nil if it was not written.
  package var configurationIfWritten: String? {
    FileManager.default.fileExists(atPath: configuration) ? configuration : nil
  }

  /// Removes temporary files of killed processes. Call with results.csv locked, so that no other run writes here.
  func removeTemporaries() {
    for folder in [path, checkpoints] {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where isTemporaryName(name) {
        let file = folder + "/" + name
        var status = stat()
        if lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG { unlink(file) }
      }
    }
  }
}
