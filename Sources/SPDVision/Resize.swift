/// Bilinear interpolation with half-pixel centres and no antialiasing, bit for bit what OpenCV's `resize` gives for 8-bit
/// pictures with `INTER_LINEAR`.
///
/// OpenCV works in fixed point: weights have 11 bits, a row is first interpolated horizontally, and the vertical step
/// drops 4 bits, multiplies, drops 16 and rounds the last 2. Halving both sides exactly is a special case: the mean of
/// 2×2 pixels, rounded half up.
///
/// - Precondition: the picture is valid, `width` and `height` are positive.
public func resizeBilinear(_ picture: Picture, width: Int, height: Int) -> Picture {
  picture.requireValid()
  precondition(width > 0 && height > 0, "cannot resize to \(width)×\(height)")
  if picture.width == width && picture.height == height { return picture }
  if picture.width == 2 * width && picture.height == 2 * height { return halved(picture) }

  let columns = taps(from: picture.width, to: width)
  let rows = taps(from: picture.height, to: height)
  let rowBytes = width * 3
  // Horizontally interpolated source rows; neighbouring output rows mostly need the same two.
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
      if row.first != upperIndex { interpolateRow(picture, row.first, columns, into: &upper) }
      upperIndex = row.first
      if row.second != lowerIndex { interpolateRow(picture, row.second, columns, into: &lower) }
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
  return Picture(width: width, height: height, pixels: pixels)
}

/// The two source positions that an output position lies between, with weights in units of 1/2048.
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
    // Beyond the outermost centres the edge pixel holds: both positions are the same one there.
    return Tap(
      first: min(max(first, 0), sourceSize - 1), second: min(max(first + 1, 0), sourceSize - 1),
      firstWeight: Int32(((1 - fraction) * 2048).rounded(.toNearestOrEven)),
      secondWeight: Int32((fraction * 2048).rounded(.toNearestOrEven)))
  }
}

private func interpolateRow(_ picture: Picture, _ row: Int, _ columns: [Tap], into result: inout [Int32]) {
  picture.pixels.withUnsafeBufferPointer { pixels in
    result.withUnsafeMutableBufferPointer { result in
      let source = pixels.baseAddress! + row * picture.width * 3
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

private func halved(_ picture: Picture) -> Picture {
  let width = picture.width / 2
  let height = picture.height / 2
  let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
    picture.pixels.withUnsafeBufferPointer { source in
      let below = picture.width * 3
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<3 {
            let from = (y * 2 * picture.width + x * 2) * 3 + channel
            let upper = Int(source[from]) + Int(source[from + 3])
            let lower = Int(source[from + below]) + Int(source[from + below + 3])
            target[(y * width + x) * 3 + channel] = UInt8((upper + lower + 2) >> 2)
          }
        }
      }
    }
    count = width * height * 3
  }
  return Picture(width: width, height: height, pixels: pixels)
}
