import SPD
import SPDData

/// The images of a run, as far as a run needs to know them: names, counts and what a resumed run is checked against.
public protocol RunData: Sendable {
  /// Names for messages and reports: "CIFAR-10, training".
  var trainingName: String { get }
  var validationName: String { get }
  /// Numbers of images.
  var trainingCount: Int { get }
  var validationCount: Int { get }
  /// Class names in class-index order.
  var classNames: [String] { get }
  /// Hashes of the images' names and labels in order.
  var trainingHash: UInt64 { get }
  var validationHash: UInt64 { get }
  /// The network's input size.
  var size: Size2D { get }
  /// The preprocessing of validation and prediction, which checkpoints record.
  var preprocessing: ImagePreprocessing { get }
  /// Facts that a user should know before training, one sentence each.
  var notes: [String] { get }
}

/// A mini-batch of any task.
public protocol MiniBatch: Sendable {
  /// All rows, N×3×H×W.
  var images: UnsafeBufferPointer<Float> { get }
  /// Number of rows with an image of their own; the others repeat them.
  var count: Int { get }
  /// Images of this mini-batch that cannot be decoded.
  var broken: [BrokenImage] { get }
  /// Size of the images; nil if all mini-batches of a run have the same.
  var size: Size2D? { get }
}

extension MiniBatch {
  public var size: Size2D? { nil }
}

/// Delivers the mini-batches of a run in order.
public protocol BatchSource: Sendable {
  associatedtype Batch: MiniBatch

  /// Returns the next mini-batch, waiting for it if necessary; nil after the last epoch, and after `cancel`.
  func next() throws(DataError) -> Batch?
  /// Stops prefetching.
  func cancel()
}

extension Batch: MiniBatch {}
extension BatchLoader: BatchSource {}
