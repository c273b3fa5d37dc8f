import Foundation
import SPDFormats

extension TrainingCheckpoint {
  /// Reads a checkpoint and verifies the checksums of its tensors and its state.
  ///
  /// - Throws: `FormatError` naming what is missing or damaged; also for a weight file that is not a checkpoint.
  public init(contentsOf path: String) throws {
    guard PathKind(of: path) != nil else {
      throw FormatError(path: path, problem: "no such checkpoint")
    }
    // `readSafetensors` keeps the keys unchanged, whereas `readCheckpoint` strips prefixes of PyTorch's wrappers but reports
    // other file formats by name.
    try self.init(try (try? readSafetensors(path)) ?? readCheckpoint(path), path: path)
  }

  /// Reads a checkpoint; nil for any other weight file.
  ///
  /// - Throws: `FormatError` if a checkpoint is damaged.
  public init?(ifItIsOne path: String) throws {
    guard path.hasSuffix(".safetensors") else { return nil }
    guard try readSafetensors(path).metadata["format"]?.hasPrefix(CheckpointFormat.family) == true else {
      return nil
    }
    try self.init(contentsOf: path)
  }

  /// - Parameter path: path of the file, for messages.
  init(_ file: Checkpoint, path: String) throws {
    guard let format = file.metadata["format"], format.hasPrefix(CheckpointFormat.family) else {
      throw FormatError(
        path: path, problem: "is not a training checkpoint: it has no state",
        remedy: "Give a file from the checkpoints folder of a run; training cannot resume from weights alone")
    }
    guard format == CheckpointFormat.current else {
      throw FormatError(
        path: path, problem: "is a checkpoint of another version (\(format))",
        remedy: "Resume with the version of spdc that wrote it")
    }
    let text = try CheckpointFormat.verifiedState(file, path: path)
    do {
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      state = try decoder.decode(TrainingState.self, from: Data(text.utf8))
    } catch {
      throw FormatError(
        path: path, problem: "its state is of another version of spdc (\(Self.explanation(error)))",
        remedy: "Resume with the version that wrote it")
    }
    if let problem = state.inconsistency {
      throw FormatError(
        path: path, problem: "its state is inconsistent: \(problem)",
        remedy: "Resume from another checkpoint of the run")
    }

    weights = []
    for name in file.order {
      let tensor = file.tensors[name]!
      if name.hasPrefix(CheckpointFormat.averagePrefix) {
        average.append((String(name.dropFirst(CheckpointFormat.averagePrefix.count)), tensor))
      } else if name.hasPrefix(CheckpointFormat.optimizerPrefix) {
        let rest = name.dropFirst(CheckpointFormat.optimizerPrefix.count)
        guard let dot = rest.firstIndex(of: ".") else {
          throw FormatError(path: path, problem: "the tensor \(name) belongs to no optimiser slot")
        }
        optimizer[String(rest[..<dot]), default: []].append((String(rest[rest.index(after: dot)...]), tensor))
      } else {
        weights.append((name, tensor))
      }
    }
    classNames = file.classNames ?? []
    classes = file.classes ?? 0
    facts = file.metadata.filter { !Self.reservedFacts.contains($0.key) }
  }

  private static func explanation(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "no \(key.stringValue)"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      context.codingPath.isEmpty
        ? context.debugDescription : "unreadable \(context.codingPath.map(\.stringValue).joined(separator: "."))"
    default: "\(error)"
    }
  }
}
