import SPD
import SPDVision

/// The random choices of CutMix: a rectangle of a second sample replaces that of the first.
///
/// CutMix is not part of the reference. Here a patch covers 1 − λ of the image, λ ~ U(0, 1): its sides are √(1 − λ) of
/// the image's, its centre is uniform, and it is cropped at the image.
struct CutMixPlan: Sendable, Equatable {
  /// Pixels of the patch; right and bottom are exclusive.
  var left, top, right, bottom: Int

  init(left: Int, top: Int, right: Int, bottom: Int) {
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
  }

  init(width: Int, height: Int, random: inout SplitMix64) {
    let side = random.uniform().squareRoot()
    let (centreX, centreY) = (random.uniform() * Double(width), random.uniform() * Double(height))
    left = max(Int(centreX - side * Double(width) / 2), 0)
    right = min(Int(centreX + side * Double(width) / 2), width)
    top = max(Int(centreY - side * Double(height) / 2), 0)
    bottom = min(Int(centreY + side * Double(height) / 2), height)
  }

  /// Replaces the patch. Objects of the second sample are cropped to it; those of the first to what stays visible of
  /// them, as far as that is a rectangle. Objects that are hardly left go.
  func apply(to first: AugmentedSample, with second: AugmentedSample) -> AugmentedSample {
    precondition(
      first.image.width == second.image.width && first.image.height == second.image.height, "CutMix has one size")
    var result = first
    let width = first.image.width
    for y in top..<max(bottom, top) where left < right {
      let bytes = (y * width + left) * 3..<(y * width + right) * 3
      result.image.pixels.replaceSubrange(bytes, with: second.image.pixels[bytes])
    }
    func usable(_ box: SIMD4<Double>, of object: PixelObject) -> PixelObject? {
      let cropped = PixelObject(classIndex: object.classIndex, box: box)
      return isUsable(cropped, was: object, scale: 1, minimumArea: 0.1) ? cropped : nil
    }
    let patch = SIMD4(Double(left), Double(top), Double(right), Double(bottom))
    result.objects = first.objects.compactMap { usable(Self.visible(part: $0.box, outside: patch), of: $0) }
    result.objects += second.objects.compactMap { object in
      let box = object.box.clamped(
        lowerBound: SIMD4(lowHalf: patch.lowHalf, highHalf: patch.lowHalf),
        upperBound: SIMD4(lowHalf: patch.highHalf, highHalf: patch.highHalf))
      return usable(box, of: object)
    }
    return result
  }

  /// The hull of what a patch leaves of a box.
  static func visible(part box: SIMD4<Double>, outside patch: SIMD4<Double>) -> SIMD4<Double> {
    var rest = box
    let coversRows = patch.y <= box.y && patch.w >= box.w
    let coversColumns = patch.x <= box.x && patch.z >= box.z
    if coversRows && coversColumns { return SIMD4(box.x, box.y, box.x, box.y) }
    if coversRows {
      if patch.x <= box.x { rest.x = min(max(box.x, patch.z), box.z) }
      if patch.z >= box.z { rest.z = max(min(box.z, patch.x), box.x) }
    } else if coversColumns {
      if patch.y <= box.y { rest.y = min(max(box.y, patch.w), box.w) }
      if patch.w >= box.w { rest.w = max(min(box.w, patch.y), box.y) }
    }
    return rest
  }
}
