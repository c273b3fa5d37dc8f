import Foundation
import SPDCompiler

/// Measurements of `--tune` for one processor model, target and number of threads: a readable JSON file in the cache.
package struct TuningStore: Codable {
  package struct Entry: Codable {
    package var kernel: Kernel
    /// Total time of all convolutions of the problem in the network where it was measured.
    package var milliseconds: Double
    /// The same with the default kernel, measured interleaved.
    package var defaultMilliseconds: Double

    private enum CodingKeys: String, CodingKey {
      case kernel
      case milliseconds = "ms"
      case defaultMilliseconds = "default_ms"
    }
  }

  package var processor = Machine.processorName
  package var target: String
  package var threads: Int
  package var version = spdcVersion
  /// Entries by `TuningProblem.key`.
  package var problems: [String: Entry] = [:]

  package init(target: String, threads: Int) {
    self.target = target
    self.threads = threads
  }

  /// Loads the file; empty if nothing was measured.
  package static func load(target: String, threads: Int) throws -> TuningStore {
    let empty = TuningStore(target: target, threads: threads)
    let path = try empty.path
    guard FileManager.default.fileExists(atPath: path) else { return empty }
    let data = try Files.read(path)
    do {
      return try JSONDecoder().decode(TuningStore.self, from: data)
    } catch {
      throw Failure(
        .data,
        "\(path): the measurements of --tune cannot be read\n  Delete the file to measure again, or remove "
          + "--tune.")
    }
  }

  /// Adds the measurements of this run to the file. Entries written by other processes are kept.
  package func add(_ measured: [String: Entry]) throws {
    var store = try Self.load(target: target, threads: threads)
    store.problems.merge(measured) { $1 }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(store) + Data("\n".utf8)
    try Files.hintingAtCache { try Files.write(data, to: try path) }
  }

  private var path: String {
    get throws {
      let name = [processor, target, "\(threads) threads", version].joined(separator: ", ")
      let plain = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || ", .-".contains($0)) ? $0 : "_" })
      return try Files.cache("tuning").appendingPathComponent(plain + ".json").path
    }
  }
}
