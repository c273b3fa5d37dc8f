import Foundation
import SPDCompiler

/// What `--tune` has measured on this kind of processor, for one target and number of threads: a file of JSON in the
/// cache, for people to read too.
package struct TuningStore: Codable {
  package struct Entry: Codable {
    package var kernel: Kernel
    /// In the network that it was measured in, all convolutions of the problem together.
    package var milliseconds: Double
    /// What the compiler takes by itself, measured in turns with it.
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
  /// By `TuningProblem.key`.
  package var problems: [String: Entry] = [:]

  package init(target: String, threads: Int) {
    self.target = target
    self.threads = threads
  }

  /// What is known so far; nothing if nothing was measured.
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
        "\(path): what --tune has measured cannot be read\n  Delete the file, and it is measured again; or leave "
          + "--tune out.")
    }
  }

  /// Adds to the file what this run has measured; what others wrote in the meantime stays.
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
