import Foundation

/// The weights of a file that an inference network takes.
///
/// Of a training checkpoint these are the EMA where one is kept, otherwise the weights, after the checksums have been compared.
/// Other files are returned as they are.
///
/// - Parameters:
///   - file: what `readCheckpoint` made of it.
///   - path: of the file, which is read again if it is a checkpoint: without the prefixes that wrappers leave being stripped.
/// - Throws: `FormatError` where a checkpoint is damaged.
public func inferenceWeights(of file: Checkpoint, path: String) throws -> Checkpoint {
  guard file.metadata["format"]?.hasPrefix(CheckpointFormat.family) == true else { return file }
  let raw = try readSafetensors(path)
  let state = try CheckpointFormat.verifiedState(raw, path: path)
  let prefix = CheckpointFormat.averagePrefix
  var result = file
  result.order = raw.order.filter { !CheckpointFormat.isTrainingState($0) }
  result.tensors = [:]
  // What is not averaged, such as a count of batches, is taken from the weights.
  for name in result.order { result.tensors[name] = raw.tensors[prefix + name] ?? raw.tensors[name] }
  let hasAverage = raw.order.contains { $0.hasPrefix(prefix) }
  result.origin = "training checkpoint\(place(state))" + (hasAverage ? ", ema" : "")
  return result
}

/// Where in a run a state is: `, epoch 3`.
private func place(_ state: String) -> String {
  struct Position: Decodable { var epoch: Int, iteration: Int }
  guard let position = try? JSONDecoder().decode(Position.self, from: Data(state.utf8)) else { return "" }
  return position.iteration == 0 ? ", epoch \(position.epoch)" : ", epoch \(position.epoch + 1), unfinished"
}
