import SPDVision

extension Image {
  /// Returns the `width`×`height` pixels from (`left`, `top`) on; pixels outside the image are black.
  func cropped(left: Int, top: Int, width newWidth: Int, height newHeight: Int) -> Image {
    if left == 0 && top == 0 && newWidth == width && newHeight == height { return self }
    var result = Image(width: newWidth, height: newHeight, filledWith: RGB(0, 0, 0))
    // Empty where the part is beside the image.
    let columns = max(0, -left)..<max(0, -left, min(newWidth, width - left))
    let rows = max(0, -top)..<max(0, -top, min(newHeight, height - top))
    guard !columns.isEmpty else { return result }
    result.pixels.withUnsafeMutableBufferPointer { target in
      pixels.withUnsafeBufferPointer { source in
        for y in rows {
          let to = target.baseAddress! + (y * newWidth + columns.lowerBound) * 3
          let from = source.baseAddress! + ((y + top) * width + columns.lowerBound + left) * 3
          to.update(from: from, count: columns.count * 3)
        }
      }
    }
    return result
  }
}
