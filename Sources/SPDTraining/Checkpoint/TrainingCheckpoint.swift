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

  static let reservedFacts: Set = ["format", "state", "checksums", "names", "nc"]

  /// Every tensor under its name in the file.
  var namedTensors: [NamedTensor] {
    let slots = optimizer.sorted { $0.key < $1.key }.flatMap { slot, tensors in
      tensors.map { (name: "\(CheckpointFormat.optimizerPrefix)\(slot).\($0.name)", tensor: $0.tensor) }
    }
    return weights + slots + average.map { (name: CheckpointFormat.averagePrefix + $0.name, tensor: $0.tensor) }
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
    precondition(
      !weights.contains { CheckpointFormat.isTrainingState($0.name) }, "a weight has a name of the training's")
    let tensors = namedTensors
    var metadata = facts
    metadata["format"] = CheckpointFormat.current
    metadata["state"] = try encoded(state)
    if !classNames.isEmpty {
      metadata["names"] = try encoded(classNames)
    }
    if max(classes, classNames.count) > 0 { metadata["nc"] = String(max(classes, classNames.count)) }
    var checksums = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, CheckpointFormat.checksum($0)) })
    checksums[CheckpointFormat.metadataName] = CheckpointFormat.checksum(metadata)
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
}
