import Foundation
import SPDFormats

/// A checkpoint of a run: one safetensors file that is also a weight file.
///
/// The weights are stored under their state-dict keys. The other tensors follow: `optimizer.<slot>.<key>` for the
/// optimiser's state of a parameter, `ema.<key>` for the EMA of a weight. The metadata contain `format`, `state`
/// (`TrainingState` as JSON), `checksums` (CRC-32C of each tensor and of the other metadata), the number of classes and
/// their names.
public struct TrainingCheckpoint: Sendable {
  /// Parameters and running statistics by state-dict key, in the network's order.
  public var weights: [NamedTensor]
  /// The optimiser's state by slot, such as `momentum`: one tensor per trained parameter.
  public var optimizer: [String: [NamedTensor]] = [:]
  /// The EMA of the weights; empty if there is none.
  public var average: [NamedTensor] = []
  public var state: TrainingState
  /// Names by class index; empty if unknown.
  public var classNames: [String] = []
  /// Number of outputs, which may exceed the number of names; 0: the number of names.
  public var classes = 0
  /// Further metadata that a resumed run checks, such as the network's hash. The format's own keys are reserved.
  public var facts: [String: String] = [:]

  public init(weights: [NamedTensor], state: TrainingState) {
    self.weights = weights
    self.state = state
  }

  static let reservedFacts: Set = ["format", "state", "checksums", "names", "nc"]

  /// All tensors with their names in the file.
  var namedTensors: [NamedTensor] {
    let slots = optimizer.sorted { $0.key < $1.key }.flatMap { slot, tensors in
      tensors.map { (name: "\(CheckpointFormat.optimizerPrefix)\(slot).\($0.name)", tensor: $0.tensor) }
    }
    return weights + slots + average.map { (name: CheckpointFormat.averagePrefix + $0.name, tensor: $0.tensor) }
  }
}

extension TrainingCheckpoint {
  /// Writes the file atomically. Equal checkpoints give equal bytes.
  ///
  /// - Throws: `FormatError` on a write error such as a full disk; the old file is unchanged.
  public func write(to path: String) throws {
    precondition(Self.reservedFacts.isDisjoint(with: facts.keys), "a fact uses a reserved key")
    precondition(optimizer.keys.allSatisfy { !$0.contains(".") }, "a slot's name must not contain a dot")
    precondition(
      !weights.contains { CheckpointFormat.isTrainingState($0.name) }, "a weight uses a reserved prefix")
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
    // The history may contain an infinite loss.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
