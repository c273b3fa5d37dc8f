import Foundation
import SPD
import SPDFormats

/// Input size and preprocessing that a weight file records.
package struct CheckpointInput {
  package var size: Size2D?
  package var preprocessing: ImagePreprocessing?

  /// Keys in a checkpoint's metadata.
  package static let sizeKey = "input"
  package static let preprocessingKey = "preprocessing"

  /// - Parameter metadata: metadata of a training checkpoint, or of a file converted from one.
  package init(_ metadata: [String: String]) {
    if let words = metadata[Self.sizeKey]?.split(separator: "x"), words.count == 2,
      let height = Int(words[0]), let width = Int(words[1]), (1...65536).contains(height), (1...65536).contains(width)
    {
      size = Size2D(height, width)
    }
    if let text = metadata[Self.preprocessingKey] {
      preprocessing = try? JSONDecoder().decode(ImagePreprocessing.self, from: Data(text.utf8))
    } else if let text = metadata["state"] {
      preprocessing = (try? JSONDecoder().decode(EarlierState.self, from: Data(text.utf8)))?.preprocessing
    }
    if preprocessing?.isValid != true { preprocessing = nil }
  }

  /// This value as metadata.
  package var metadata: [String: String] {
    var metadata: [String: String] = [:]
    if let size { metadata[Self.sizeKey] = "\(size.height)x\(size.width)" }
    if let preprocessing {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      metadata[Self.preprocessingKey] = (try? encoder.encode(preprocessing)).map { String(decoding: $0, as: UTF8.self) }
    }
    return metadata
  }

  package init(size: Size2D, preprocessing: ImagePreprocessing) {
    (self.size, self.preprocessing) = (size, preprocessing)
  }

  /// The state of checkpoints of earlier versions, which record the preprocessing only in their configuration.
  private struct EarlierState: Decodable {
    struct Configuration: Decodable {
      struct Augmentation: Decodable {
        var mean: [Double]
        var standardDeviation: [Double]
        var valueRange: ImagePreprocessing.ValueRange
      }
      var augmentation: Augmentation
    }
    var configuration: Configuration

    var preprocessing: ImagePreprocessing {
      let augmentation = configuration.augmentation
      return ImagePreprocessing(
        valueRange: augmentation.valueRange, mean: augmentation.mean, std: augmentation.standardDeviation, fit: .crop)
    }
  }
}
