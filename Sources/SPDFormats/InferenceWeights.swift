import Foundation

/// Selects the weights of a file that an inference network uses.
///
/// For a training checkpoint these are the EMA weights if there are any, otherwise the weights; checksums are verified
/// first. The weights of other files are returned unchanged.
///
/// - Parameters:
///   - file: the result of `readCheckpoint`.
///   - path: the file's path; a checkpoint is read again with the key prefixes of wrappers kept.
/// - Throws: `FormatError` where a checkpoint is damaged.
public func inferenceWeights(of file: Checkpoint, path: String) throws -> Checkpoint {
  guard file.metadata["format"]?.hasPrefix(CheckpointFormat.family) == true else { return file }
  let raw = try readSafetensors(path)
  let state = try CheckpointFormat.verifiedState(raw, path: path)
  let prefix = CheckpointFormat.averagePrefix
  var result = file
  result.order = raw.order.filter { !CheckpointFormat.isTrainingState($0) }
  result.tensors = [:]
  // The EMA leaves out what cannot be averaged, such as a count of batches: take that from the weights.
  for name in result.order { result.tensors[name] = raw.tensors[prefix + name] ?? raw.tensors[name] }
  let hasAverage = raw.order.contains { $0.hasPrefix(prefix) }
  result.origin = "training checkpoint\(place(state))" + (hasAverage ? ", ema" : "")
  return result
}

/// The position in the run that a state was saved at: `, epoch 3`.
private func place(_ state: String) -> String {
  struct Position: Decodable { var epoch: Int, iteration: Int }
  guard let position = try? JSONDecoder().decode(Position.self, from: Data(state.utf8)) else { return "" }
  return position.iteration == 0 ? ", epoch \(position.epoch)" : ", epoch \(position.epoch + 1), unfinished"
}
