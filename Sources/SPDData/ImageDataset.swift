import SPDVision

/// Annotated images. Loader threads ask for any image at any time, so every answer depends on the index alone.
public protocol ImageDataset: Sendable {
  /// Name for messages and reports: "CIFAR-10, training".
  var name: String { get }
  /// Class names in class-index order.
  var classNames: [String] { get }
  /// Number of images.
  var count: Int { get }
  /// Returns the annotation of image `index`, without decoding the image.
  func annotation(_ index: Int) -> Annotation
  /// Returns the image as stored: 8-bit RGB at its own size.
  ///
  /// - Throws: where the image is missing or broken. The others remain usable.
  func image(_ index: Int) throws(DataError) -> Image
  /// Returns the origin of image `index`, for messages: a path, or a file and the image's index in it.
  func origin(_ index: Int) -> String
}

/// The ground truth of an image.
public enum Annotation: Sendable, Equatable {
  /// A single class: an index into the data set's class names.
  case classIndex(Int32)

  /// The label for a classification loss.
  public var label: Int32 {
    switch self {
    case .classIndex(let index): index
    }
  }
}

/// An image with its annotation.
public struct Sample: Sendable, Equatable {
  public var image: Image
  public var annotation: Annotation
}

extension ImageDataset {
  /// Returns an image and its annotation.
  public func sample(_ index: Int) throws(DataError) -> Sample {
    Sample(image: try image(index), annotation: annotation(index))
  }

  /// Number of images per class, in class-index order.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for index in 0..<count { counts[Int(annotation(index).label)] += 1 }
    return counts
  }
}

/// The training and validation data sets.
public struct DatasetSplits: Sendable {
  public var training: any ImageDataset
  public var validation: any ImageDataset
  /// Suspicious findings in the data set's folders, one sentence each, safe to print.
  public var warnings: [String]

  public init(training: any ImageDataset, validation: any ImageDataset, warnings: [String] = []) {
    self.training = training
    self.validation = validation
    self.warnings = warnings
  }
}
