import Foundation

/// The layout of a training checkpoint in a safetensors file: tensor names, metadata, and checksums that reveal
/// damage.
///
/// The weights have their state-dict keys. `optimizer.<slot>.<key>` is the optimiser's state of a parameter, `ema.<key>` the EMA of
/// a weight. The metadata hold `format`, `state` (JSON), `checksums` (CRC-32C of each tensor and of the other metadata).
package enum CheckpointFormat {
  /// The prefix of `format` in every version.
  package static let family = "spdc training checkpoint"
  package static let current = "spdc training checkpoint 1"
  package static let optimizerPrefix = "optimizer."
  package static let averagePrefix = "ema."
  /// The entry in `checksums` that covers everything but the tensors.
  package static let metadataName = "__metadata__"

  /// Whether a tensor is training state rather than a parameter of the network.
  package static func isTrainingState(_ name: String) -> Bool {
    name.hasPrefix(optimizerPrefix) || name.hasPrefix(averagePrefix)
  }

  /// CRC-32C of a tensor's name, shape and values, as eight hexadecimal digits.
  package static func checksum(_ named: NamedTensor) -> String {
    var crc = CRC32C()
    crc.add("\(named.name) \(named.tensor.shape)")
    named.tensor.values.withUnsafeBytes { crc.add($0) }
    return hexadecimal(crc.value)
  }

  /// CRC-32C of all metadata except the checksums.
  package static func checksum(_ metadata: [String: String]) -> String {
    var crc = CRC32C()
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != "checksums" {
      crc.add("\(key.utf8.count) \(value.utf8.count) \(key)\(value)")
    }
    return hexadecimal(crc.value)
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Compares all checksums.
  ///
  /// - Returns: the text of the state.
  /// - Throws: `FormatError` that names what is missing or damaged.
  package static func verifiedState(_ file: Checkpoint, path: String) throws -> String {
    func damaged(_ problem: String) -> FormatError {
      FormatError(path: path, problem: problem, remedy: "Resume from another checkpoint of the run")
    }
    guard let text = file.metadata["state"], let list = file.metadata["checksums"],
      var checksums = try? JSONDecoder().decode([String: String].self, from: Data(list.utf8))
    else { throw damaged("its state or its checksums are missing") }
    guard checksums.removeValue(forKey: metadataName) == checksum(file.metadata) else {
      throw damaged("its state is damaged")
    }
    for name in file.order {
      guard let expected = checksums.removeValue(forKey: name) else {
        throw damaged("the tensor \(name) does not belong to it")
      }
      guard checksum((name, file.tensors[name]!)) == expected else { throw damaged("the tensor \(name) is damaged") }
    }
    if let missing = checksums.keys.sorted().first {
      let more = checksums.count > 1 ? ", and \(checksums.count - 1) more" : ""
      throw damaged("the tensor \(missing) is missing\(more)")
    }
    return text
  }
}
