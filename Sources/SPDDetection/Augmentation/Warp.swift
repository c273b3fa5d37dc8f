import SPDVision

/// Maps an image by a matrix from source to target points, bilinearly, with grey 114 outside: pixel for pixel as OpenCV
/// 4's `warpAffine` does for 8-bit images, and as `warpPerspective` does if the last row is not (0, 0, 1).
///
/// OpenCV inverts the matrix and computes source positions in units of 1/1024 pixel (in floating point for a
/// perspective), rounds them to 1/32 pixel, and weights the four neighbours with products of the two fractions:
/// (Σ pixel·weight + 2¹⁴) >> 15.
func warp(_ image: Image, by matrix: Matrix3, width: Int, height: Int) -> Image {
  precondition(width > 0 && height > 0, "cannot warp to \(width)×\(height)")
  let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
    image.pixels.withUnsafeBufferPointer { source in
      let reader = WarpSource(pixels: source.baseAddress!, width: image.width, height: image.height)
      if matrix.isPerspective {
        warpPerspective(reader, matrix.inverse, target.baseAddress!, width, height)
      } else {
        warpAffine(reader, matrix, target.baseAddress!, width, height)
      }
    }
    count = width * height * 3
  }
  return Image(width: width, height: height, pixels: pixels)
}

/// The grey of pixels outside an image.
let borderGrey: UInt8 = 114

private func warpAffine(
  _ source: WarpSource, _ matrix: Matrix3, _ target: UnsafeMutablePointer<UInt8>, _ width: Int, _ height: Int
) {
  let m = matrix.elements
  let determinant = m[0] * m[4] - m[1] * m[3]
  let d = determinant == 0 ? 0 : 1 / determinant
  let (xx, xy, yx, yy) = (m[4] * d, -m[1] * d, -m[3] * d, m[0] * d)
  let startX = -xx * m[2] - xy * m[5]
  let startY = -yx * m[2] - yy * m[5]
  let columns = (0..<width).map { x in
    SIMD2(Int32(clamping: fixed(xx * Double(x) * 1024)), Int32(clamping: fixed(yx * Double(x) * 1024)))
  }
  columns.withUnsafeBufferPointer { columns in
    for y in 0..<height {
      let rowX = Int32(clamping: fixed((xy * Double(y) + startX) * 1024) + 16)
      let rowY = Int32(clamping: fixed((yy * Double(y) + startY) * 1024) + 16)
      let output = target + y * width * 3
      for x in 0..<width {
        source.sample((rowX &+ columns[x].x) >> 5, (rowY &+ columns[x].y) >> 5, output + x * 3)
      }
    }
  }
}

private func warpPerspective(
  _ source: WarpSource, _ inverse: Matrix3, _ target: UnsafeMutablePointer<UInt8>, _ width: Int, _ height: Int
) {
  let m = inverse.elements
  // OpenCV sums per block of 1024 pixels, which decides the last bit.
  let blockWidth = min(1024 / min(16, height), width)
  for y in 0..<height {
    for x in 0..<width {
      let (block, column) = (Double(x - x % blockWidth), Double(x % blockWidth))
      let w = (m[6] * block + m[7] * Double(y) + m[8]) + m[6] * column
      let scale = w == 0 ? 0 : 32 / w
      let fromX = ((m[0] * block + m[1] * Double(y) + m[2]) + m[0] * column) * scale
      let fromY = ((m[3] * block + m[4] * Double(y) + m[5]) + m[3] * column) * scale
      source.sample(Int32(clamping: fixed(fromX)), Int32(clamping: fixed(fromY)), target + (y * width + x) * 3)
    }
  }
}

/// Rounds half to even; far positions are clamped, and NaN is far, too.
private func fixed(_ value: Double) -> Int {
  let limit = 1e9
  guard abs(value) < limit else { return value > 0 ? Int(limit) : -Int(limit) }
  return Int(value.rounded(.toNearestOrEven))
}

/// An image that is read at fractional positions.
private struct WarpSource {
  let pixels: UnsafePointer<UInt8>
  let width, height: Int

  /// Writes the pixel at a position in units of 1/32.
  @inline(__always)
  func sample(_ x: Int32, _ y: Int32, _ output: UnsafeMutablePointer<UInt8>) {
    let (column, row) = (Int(x >> 5), Int(y >> 5))
    let (right, down) = (x & 31, y & 31)
    let weights = SIMD4<Int32>(
      (32 &- right) &* (32 &- down), right &* (32 &- down), (32 &- right) &* down, right &* down)
    if column >= 0 && row >= 0 && column < width - 1 && row < height - 1 {
      let above = pixels + (row * width + column) * 3
      let below = above + width * 3
      for channel in 0..<3 {
        // The weights are OpenCV's, divided by their common factor 32.
        let sum =
          Int32(above[channel]) &* weights[0] &+ Int32(above[channel + 3]) &* weights[1]
          &+ Int32(below[channel]) &* weights[2] &+ Int32(below[channel + 3]) &* weights[3]
        output[channel] = UInt8(truncatingIfNeeded: (sum &+ 512) >> 10)
      }
    } else if column < -1 || row < -1 || column >= width || row >= height {
      for channel in 0..<3 { output[channel] = borderGrey }
    } else {
      for channel in 0..<3 {
        let sum =
          tap(column, row, channel) &* weights[0] &+ tap(column + 1, row, channel) &* weights[1]
          &+ tap(column, row + 1, channel) &* weights[2] &+ tap(column + 1, row + 1, channel) &* weights[3]
        output[channel] = UInt8(truncatingIfNeeded: (sum &+ 512) >> 10)
      }
    }
  }

  private func tap(_ x: Int, _ y: Int, _ channel: Int) -> Int32 {
    x >= 0 && y >= 0 && x < width && y < height ? Int32(pixels[(y * width + x) * 3 + channel]) : Int32(borderGrey)
  }
}
