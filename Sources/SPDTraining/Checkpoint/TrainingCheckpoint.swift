import Foundation
import SPDFormats

/// A run at one moment, as one file: a safetensors file that any reader of weights understands.
///
/// The weights have their state-dict keys, so that the file is a weight file too. The other tensors come after them:
/// `optimizer.<slot>.<key>` for the optimiser's memory of a parameter, `ema.<key>` for the moving average of a weight.
/// The metadata hold `format`, `state` (`TrainingState` as JSON), `checksums` (CRC-32C of each tensor and of the other
/// metadata), the number of classes and their names.
public struct TrainingCheckpoint: Sendable {
  /// Parameters and running statistics by state-dict key, in the network's order.
  public var weights: [NamedTensor]
  /// The optimiser's memory by slot, such as `momentum`: one tensor for each parameter that has been updated.
  public var optimizer: [String: [NamedTensor]] = [:]
  /// The moving average of the weights; empty where none is kept.
  public var average: [NamedTensor] = []
  public var state: TrainingState
  /// By class index; empty where unknown.
  public var classNames: [String] = []
  /// Outputs of the network, which may be more than there are names; 0: as many.
  public var classes = 0
  /// More facts for whoever goes on, such as the network's hash. The keys of the format are taken.
  public var facts: [String: String] = [:]

  public init(weights: [NamedTensor], state: TrainingState) {
    self.weights = weights
    self.state = state
  }

  static let format = "spdc training checkpoint 1"
  static let optimizerPrefix = "optimizer."
  static let averagePrefix = "ema."
  /// Stands among the checksums for everything but the tensors.
  static let metadataName = "__metadata__"
  static let reservedFacts: Set = ["format", "state", "checksums", "names", "nc"]

  /// Whether a tensor of a checkpoint belongs to the training rather than to the network.
  public static func isTrainingState(_ name: String) -> Bool {
    name.hasPrefix(optimizerPrefix) || name.hasPrefix(averagePrefix)
  }

  /// Every tensor under its name in the file.
  var namedTensors: [NamedTensor] {
    let slots = optimizer.sorted { $0.key < $1.key }.flatMap { slot, tensors in
      tensors.map { (name: "\(Self.optimizerPrefix)\(slot).\($0.name)", tensor: $0.tensor) }
    }
    return weights + slots + average.map { (name: Self.averagePrefix + $0.name, tensor: $0.tensor) }
  }
}

extension TrainingCheckpoint {
  /// Writes the file so that there is always a whole one at `path`: the old one until the new one has reached the disk.
  ///
  /// The same checkpoint gives the same bytes.
  ///
  /// - Throws: `FormatError` where the system refuses, for instance because the disk is full; the old file is as it
  ///   was.
  public func write(to path: String) throws {
    precondition(Self.reservedFacts.isDisjoint(with: facts.keys), "a fact has a name of the format's")
    precondition(optimizer.keys.allSatisfy { !$0.contains(".") }, "a slot's name has no dot")
    precondition(!weights.contains { Self.isTrainingState($0.name) }, "a weight has a name of the training's")
    let tensors = namedTensors
    var metadata = facts
    metadata["format"] = Self.format
    metadata["state"] = try encoded(state)
    if !classNames.isEmpty {
      metadata["names"] = try encoded(classNames)
    }
    if max(classes, classNames.count) > 0 { metadata["nc"] = String(max(classes, classNames.count)) }
    var checksums = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, Self.checksum($0)) })
    checksums[Self.metadataName] = Self.checksum(metadata)
    metadata["checksums"] = try encoded(checksums)
    try writeSafetensors(tensors, metadata: metadata, to: path)
  }

  private func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A loss may have become infinite before the run was stopped.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Of a tensor's name, shape and values, as eight hexadecimal digits.
  static func checksum(_ named: NamedTensor) -> String {
    var crc = CRC32C()
    crc.add("\(named.name) \(named.tensor.shape)")
    named.tensor.values.withUnsafeBytes { crc.add($0) }
    return hexadecimal(crc.value)
  }

  /// Of all metadata but the checksums.
  static func checksum(_ metadata: [String: String]) -> String {
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
}
