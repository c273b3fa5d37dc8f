/// One object found in an image.
public struct Detection: Sendable, Equatable, Codable {
  /// Index of the class in the model's list of names.
  public var classIndex: Int
  /// Objectness times class probability, 0...1.
  public var score: Float
  /// The corners x1, y1 (left, top) and x2, y2 (right, bottom) in pixels, not rounded. Encoded as a list of four
  /// numbers.
  public var box: SIMD4<Float>

  public init(classIndex: Int, score: Float, box: SIMD4<Float>) {
    self.classIndex = classIndex
    self.score = score
    self.box = box
  }
}

/// Maps boxes from the letterboxed image to pixels of the original and clips them to it. Not rounded.
public func scaleBoxes(_ detections: [Detection], from letterbox: Letterbox) -> [Detection] {
  scaleBoxes(
    detections, gain: letterbox.gain, padX: letterbox.coordinatePadX, padY: letterbox.coordinatePadY,
    width: letterbox.imageWidth, height: letterbox.imageHeight)
}

/// The general form: x becomes (x - padX) / gain in 0...width, y becomes (y - padY) / gain in 0...height. An evaluation
/// that follows the reference's other rule passes the height ratio and the unrounded half pads.
public func scaleBoxes(
  _ detections: [Detection], gain: Double, padX: Double, padY: Double, width: Int, height: Int
) -> [Detection] {
  let pads = SIMD4(Float(padX), Float(padY), Float(padX), Float(padY))
  let limits = SIMD4(Float(width), Float(height), Float(width), Float(height))
  return detections.map { detection in
    var scaled = detection
    scaled.box = ((detection.box - pads) / Float(gain)).clamped(lowerBound: .zero, upperBound: limits)
    return scaled
  }
}
