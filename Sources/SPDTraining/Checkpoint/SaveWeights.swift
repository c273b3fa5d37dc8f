import Foundation
import SPDDriver
import SPDFormats

extension TrainingResult.Checkpoint {
  /// Writes the weights alone as safetensors, with input size, normalisation and class names in the metadata: what every command
  /// and `Classifier` need to use them. Of a run with an EMA these are the averaged weights.
  public func saveWeights(to path: String) throws { try writeWeights(WeightLoader.read(self.path), to: path) }
}

/// Writes a checkpoint's weights with what belongs to them as safetensors.
package func writeWeights(_ checkpoint: Checkpoint, to path: String) throws {
  let tensors: [NamedTensor] = checkpoint.order.compactMap { name in checkpoint.tensors[name].map { (name, $0) } }
  try Files.writing { try writeSafetensors(tensors, metadata: weightMetadata(checkpoint), to: path) }
}

/// What a weight file says beside its tensors: class names, input size, normalisation.
package func weightMetadata(_ checkpoint: Checkpoint) -> [String: String] {
  var metadata = CheckpointInput(checkpoint.metadata).metadata
  if let names = checkpoint.classNames, let text = try? JSONEncoder().encode(names) {
    metadata["names"] = String(decoding: text, as: UTF8.self)
    metadata["nc"] = String(names.count)
  } else if let classes = checkpoint.classes {
    metadata["nc"] = String(classes)
  }
  return metadata
}
