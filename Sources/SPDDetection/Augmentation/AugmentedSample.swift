import SPDVision

/// An image on its way through augmentation, with its objects in pixels.
struct AugmentedSample: Sendable, Equatable {
  var image: Image
  var objects: [PixelObject]
}

/// An object in pixels of an image being augmented.
struct PixelObject: Sendable, Equatable {
  var classIndex: Int
  /// Left, top, right, bottom.
  var box: SIMD4<Double>
  /// The outline; empty if only the box is known.
  var polygon: [SIMD2<Double>] = []

  var width: Double { box.z - box.x }
  var height: Double { box.w - box.y }
}

extension PixelObject {
  /// Converts an object of an image that is drawn `width`×`height` pixels large with its corner at `offset`.
  init(_ object: LabelledObject, width: Double, height: Double, offset: SIMD2<Double>) {
    let size = SIMD2(width, height)
    let centre = SIMD2(Double(object.box.x), Double(object.box.y))
    let half = SIMD2(Double(object.box.z), Double(object.box.w)) / 2
    let corner = (centre - half) * size + offset
    let opposite = (centre + half) * size + offset
    self.init(
      classIndex: object.classIndex, box: SIMD4(lowHalf: corner, highHalf: opposite),
      polygon: object.polygon.map { SIMD2(Double($0.x), Double($0.y)) * size + offset })
  }

  /// Clips box and outline to an image.
  func clipped(width: Double, height: Double) -> PixelObject {
    let limit = SIMD2(width, height)
    return PixelObject(
      classIndex: classIndex, box: box.clamped(lowerBound: .zero, upperBound: SIMD4(lowHalf: limit, highHalf: limit)),
      polygon: polygon.map { $0.clamped(lowerBound: .zero, upperBound: limit) })
  }

  /// Centre x, centre y, width, height as fractions of the image's sides, after clipping to [0, side − 0.001] as in
  /// the reference.
  func normalised(width: Int, height: Int) -> SIMD4<Float> {
    let size = SIMD2(Double(width), Double(height))
    let clipped = clipped(width: size.x - 1e-3, height: size.y - 1e-3).box
    let centre = (clipped.lowHalf + clipped.highHalf) / 2 / size
    let sides = (clipped.highHalf - clipped.lowHalf) / size
    return SIMD4(Float(centre.x), Float(centre.y), Float(sides.x), Float(sides.y))
  }
}

extension LabelledImage {
  /// The objects to train on, in pixels of a drawing of the image; crowds are left out.
  func pixelObjects(width: Double, height: Double, offset: SIMD2<Double> = .zero) -> [PixelObject] {
    objects.filter { !$0.isCrowd }.map { PixelObject($0, width: width, height: height, offset: offset) }
  }
}
