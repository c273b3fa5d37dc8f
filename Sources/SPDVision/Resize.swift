/// Resizes by bilinear interpolation with half-pixel centres and no antialiasing, bit for bit as OpenCV's `resize` does
/// for 8-bit images with `INTER_LINEAR`.
///
/// OpenCV works in fixed point: weights have 11 bits, a row is first interpolated horizontally, and the vertical step
/// drops 4 bits, multiplies, drops 16 and rounds the last 2. Halving both sides exactly is a special case: the mean of
/// 2×2 pixels, rounded half up.
///
/// - Precondition: the image is valid, `width` and `height` are positive.
public func resizeBilinear(_ image: Image, width: Int, height: Int) -> Image {
  image.requireValid()
  precondition(width > 0 && height > 0, "cannot resize to \(width)×\(height)")
  if image.width == width && image.height == height { return image }
  if image.width == 2 * width && image.height == 2 * height { return halved(image) }

  let columns = taps(from: image.width, to: width)
  let rows = taps(from: image.height, to: height)
  let rowBytes = width * 3
  // Horizontally interpolated source rows; consecutive output rows mostly need the same two.
  var upper = [Int32](repeating: 0, count: rowBytes)
  var lower = upper
  var upperIndex = -1
  var lowerIndex = -1
  let pixels = [UInt8](unsafeUninitializedCapacity: rowBytes * height) { target, count in
    for (y, row) in rows.enumerated() {
      if row.first == lowerIndex {
        swap(&upper, &lower)
        swap(&upperIndex, &lowerIndex)
      }
      if row.first != upperIndex { interpolateRow(image, row.first, columns, into: &upper) }
      upperIndex = row.first
      if row.second != lowerIndex { interpolateRow(image, row.second, columns, into: &lower) }
      lowerIndex = row.second

      upper.withUnsafeBufferPointer { upper in
        lower.withUnsafeBufferPointer { lower in
          let output = target.baseAddress! + y * rowBytes
          for i in 0..<rowBytes {
            let sum = (row.firstWeight &* (upper[i] >> 4)) >> 16 &+ (row.secondWeight &* (lower[i] >> 4)) >> 16
            output[i] = UInt8(clamping: (sum &+ 2) >> 2)
          }
        }
      }
    }
    count = rowBytes * height
  }
  return Image(width: width, height: height, pixels: pixels)
}

/// The two source positions around an output position, with weights in units of 1/2048.
private struct Tap {
  var first, second: Int
  var firstWeight, secondWeight: Int32
}

private func taps(from sourceSize: Int, to targetSize: Int) -> [Tap] {
  // A quotient of a quotient, not sourceSize / targetSize: the last bit matters.
  let scale = 1 / (Double(targetSize) / Double(sourceSize))
  return (0..<targetSize).map { position in
    let centre = Float((Double(position) + 0.5) * scale - 0.5)
    let floor = centre.rounded(.down)
    let fraction = centre - floor
    let first = Int(floor)
    // Beyond the outermost centres both positions are the edge pixel.
    return Tap(
      first: min(max(first, 0), sourceSize - 1), second: min(max(first + 1, 0), sourceSize - 1),
      firstWeight: Int32(((1 - fraction) * 2048).rounded(.toNearestOrEven)),
      secondWeight: Int32((fraction * 2048).rounded(.toNearestOrEven)))
  }
}

private func interpolateRow(_ image: Image, _ row: Int, _ columns: [Tap], into result: inout [Int32]) {
  image.pixels.withUnsafeBufferPointer { pixels in
    result.withUnsafeMutableBufferPointer { result in
      let source = pixels.baseAddress! + row * image.width * 3
      for (x, tap) in columns.enumerated() {
        let first = source + tap.first * 3
        let second = source + tap.second * 3
        for channel in 0..<3 {
          result[x * 3 + channel] =
            Int32(first[channel]) &* tap.firstWeight &+ Int32(second[channel]) &* tap.secondWeight
        }
      }
    }
  }
}

private func halved(_ image: Image) -> Image {
  let width = image.width / 2
  let height = image.height / 2
  let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
    image.pixels.withUnsafeBufferPointer { source in
      let below = image.width * 3
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<3 {
            let from = (y * 2 * image.width + x * 2) * 3 + channel
            let upper = Int(source[from]) + Int(source[from + 3])
            let lower = Int(source[from + below]) + Int(source[from + below + 3])
            target[(y * width + x) * 3 + channel] = UInt8((upper + lower + 2) >> 2)
          }
        }
      }
    }
    count = width * height * 3
  }
  return Image(width: width, height: height, pixels: pixels)
}
