import SPDVision

/// Images with what is to be learned about each. Loader threads ask for any image at any time, so every answer
/// depends on the index alone.
public protocol ImageDataset: Sendable {
  /// What it is, for messages and reports: "CIFAR-10, training".
  var name: String { get }
  /// Class names in the order of the class indices.
  var classNames: [String] { get }
  /// Images.
  var count: Int { get }
  /// What is known about image `index`, without decoding it.
  func annotation(_ index: Int) -> Annotation
  /// The image as it is stored: 8-bit RGB at its own size.
  ///
  /// - Throws: where the image is missing or broken. The others can still be used.
  func image(_ index: Int) throws(DataError) -> Image
  /// Where image `index` comes from, for messages: a path, or a file and the image's number in it.
  func origin(_ index: Int) -> String
}

/// What is to be learned about an image.
public enum Annotation: Sendable, Equatable {
  /// The image shows one thing: an index into the data set's class names.
  case classIndex(Int32)

  /// The label that a classification loss reads.
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
  /// An image and its annotation.
  public func sample(_ index: Int) throws(DataError) -> Sample {
    Sample(image: try image(index), annotation: annotation(index))
  }

  /// Images of every class, in the order of the class names.
  public var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classNames.count)
    for index in 0..<count { counts[Int(annotation(index).label)] += 1 }
    return counts
  }
}

/// What a network is trained on and what it is judged by.
public struct DatasetSplits: Sendable {
  public var training: any ImageDataset
  public var validation: any ImageDataset
  /// What looks wrong in the folders that they were found in, one sentence each, safe to print.
  public var warnings: [String]

  public init(training: any ImageDataset, validation: any ImageDataset, warnings: [String] = []) {
    self.training = training
    self.validation = validation
    self.warnings = warnings
  }
}
