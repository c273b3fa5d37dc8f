import SPDVision

/// Pictures with what is to be learned about each. Loader threads ask for any picture at any time, so every answer
/// depends on the index alone.
public protocol ImageDataset: Sendable {
  /// What it is, for messages and reports: "CIFAR-10, training".
  var name: String { get }
  /// Class names in the order of the class indices.
  var classNames: [String] { get }
  /// Pictures.
  var count: Int { get }
  /// What is known about picture `index`, without decoding it.
  func annotation(_ index: Int) -> Annotation
  /// The picture as it is stored: 8-bit RGB at its own size.
  ///
  /// - Throws: where the picture is missing or broken. The others can still be used.
  func picture(_ index: Int) throws(DataError) -> Picture
  /// Where picture `index` comes from, for messages: a path, or a file and the picture's number in it.
  func origin(_ index: Int) -> String
}

/// What is to be learned about a picture.
public enum Annotation: Sendable, Equatable {
  /// The picture shows one thing: an index into the data set's class names.
  case classIndex(Int32)

  /// The label that a classification loss reads.
  public var label: Int32 {
    switch self {
    case .classIndex(let index): index
    }
  }
}

/// A picture with its annotation.
public struct Sample: Sendable, Equatable {
  public var picture: Picture
  public var annotation: Annotation
}

extension ImageDataset {
  /// A picture and its annotation.
  public func sample(_ index: Int) throws(DataError) -> Sample {
    Sample(picture: try picture(index), annotation: annotation(index))
  }

  /// Pictures of every class, in the order of the class names.
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

  public init(training: any ImageDataset, validation: any ImageDataset) {
    self.training = training
    self.validation = validation
  }
}
