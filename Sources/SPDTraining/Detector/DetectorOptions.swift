/// Which of a detector's results count; the reference's defaults for detection.
public struct DetectorOptions: Sendable, Equatable {
  /// Minimum of objectness, and of objectness times class probability; exclusive.
  public var confidence: Float = 0.25
  /// IoU above which the worse of two boxes is dropped.
  public var iou: Float = 0.45
  /// Maximum number of detections per image.
  public var maximum = 1000
  /// If given, objects of other classes are dropped.
  public var classes: Set<Int>?
  /// Lets boxes of all classes suppress each other, not only those of the same class.
  public var isAgnostic = false

  public init(
    confidence: Float = 0.25, iou: Float = 0.45, maximum: Int = 1000, classes: Set<Int>? = nil, isAgnostic: Bool = false
  ) {
    (self.confidence, self.iou, self.maximum) = (confidence, iou, maximum)
    (self.classes, self.isAgnostic) = (classes, isAgnostic)
  }
}

/// How images become a detector's input.
package struct DetectorInput: Sendable, Equatable {
  /// Pads images only to a multiple of the network's stride, not to the whole input.
  package var isRectangular = false
  /// Test-time augmentation: the results of ``TestTimeAugmentation`` instead of one pass.
  package var isAugmented = false

  package init(isRectangular: Bool = false, isAugmented: Bool = false) {
    (self.isRectangular, self.isAugmented) = (isRectangular, isAugmented)
  }
}
