import SPDData
import SPDVision

/// Images with labelled objects. Loader threads ask for any image at any time, so every answer depends on the index alone.
public protocol DetectionDataset: Sendable {
  /// Name for messages and reports: "coco, val".
  var name: String { get }
  /// Class names in class-index order.
  var classNames: [String] { get }
  /// Number of images.
  var count: Int { get }
  /// Returns the ground truth of image `index`, without decoding the image.
  func labels(_ index: Int) -> LabelledImage
  /// Returns the image as stored: 8-bit RGB at its own size, rotated as EXIF asks.
  ///
  /// - Throws: where the image is missing or broken. The others remain usable.
  func image(_ index: Int) throws(DataError) -> Image
}
