import Foundation
import SPDDriver
import SPDFormats

extension TrainingResult.Checkpoint {
  /// Writes only the weights as safetensors, with input size, normalisation and class names in the metadata, as every
  /// command and `Classifier` need them. A run with an EMA saves the averaged weights.
  public func saveWeights(to path: String) throws { try writeWeights(WeightLoader.read(self.path), to: path) }
}

/// Writes a checkpoint's weights and metadata as safetensors.
package func writeWeights(_ checkpoint: Checkpoint, as type: SafetensorsType = .float32, to path: String) throws {
  let tensors: [NamedTensor] = checkpoint.order.compactMap { name in checkpoint.tensors[name].map { (name, $0) } }
  try Files.writing { try writeSafetensors(tensors, metadata: weightMetadata(checkpoint), as: type, to: path) }
}

/// Returns the metadata of a weight file: class names, input size, normalisation.
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
