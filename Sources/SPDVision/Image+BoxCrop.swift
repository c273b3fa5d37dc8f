extension Image {
  /// Returns the pixels that a box touches, clipped to the image; nil if there are none or the box has a NaN.
  ///
  /// - Parameter box: x1, y1, x2, y2 in pixels of this image, as in ``Detection``.
  /// - Precondition: the image is valid.
  public func cropped(to box: SIMD4<Float>) -> Image? {
    requireValid()
    guard !(box.x.isNaN || box.y.isNaN || box.z.isNaN || box.w.isNaN) else { return nil }
    func pixel(_ value: Float, _ limit: Int, _ rule: FloatingPointRoundingRule) -> Int {
      Int(min(max(value, 0), Float(limit)).rounded(rule))
    }
    let (left, right) = (pixel(box.x, width, .down), pixel(box.z, width, .up))
    let (top, bottom) = (pixel(box.y, height, .down), pixel(box.w, height, .up))
    guard left < right, top < bottom else { return nil }
    let rowBytes = (right - left) * 3
    let cropped = [UInt8](unsafeUninitializedCapacity: rowBytes * (bottom - top)) { target, count in
      pixels.withUnsafeBufferPointer { source in
        for y in top..<bottom {
          (target.baseAddress! + (y - top) * rowBytes)
            .initialize(from: source.baseAddress! + (y * width + left) * 3, count: rowBytes)
        }
      }
      count = rowBytes * (bottom - top)
    }
    return Image(width: right - left, height: bottom - top, pixels: cropped)
  }
}
