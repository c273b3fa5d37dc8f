import SPDFormats

/// What a weight file has to say about the network itself, ready to be compiled.
///
/// Of a training's checkpoint, which is read again, that is the moving average where one is kept, otherwise the
/// weights, after the checksums have been compared. Other files are returned as they are.
///
/// - Parameters:
///   - file: what `readCheckpoint` made of it.
///   - path: of the file.
/// - Throws: `FormatError` where a checkpoint is damaged.
public func inferenceWeights(of file: Checkpoint, path: String) throws -> Checkpoint {
  guard file.metadata["format"]?.hasPrefix("spdc training checkpoint") == true else { return file }
  let checkpoint = try TrainingCheckpoint(contentsOf: path)
  // What is not averaged, such as a count of batches, is taken from the weights.
  let averaged = Dictionary(checkpoint.average.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  var result = file
  result.order = checkpoint.weights.map(\.name)
  result.tensors = Dictionary(
    checkpoint.weights.map { ($0.name, averaged[$0.name] ?? $0.tensor) }, uniquingKeysWith: { first, _ in first })
  let state = checkpoint.state
  let place = state.iteration == 0 ? "epoch \(state.epoch)" : "epoch \(state.epoch + 1), unfinished"
  result.origin = "training checkpoint, \(place)" + (averaged.isEmpty ? "" : ", ema")
  return result
}
