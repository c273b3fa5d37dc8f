import SPDVision

/// Shrinks an image by averaging the source area of each pixel, as OpenCV's `resize` does for 8-bit images with
/// `INTER_AREA`.
///
/// Where both scales are whole numbers, the bytes of a cell are summed and multiplied by a float 1/area (2×2: shifted,
/// rounding half up). Otherwise each axis has float weights: 1/cell for whole source pixels, the covered fraction at
/// the ends, where a fraction below 0.001 counts as none. Sums are rounded half to even.
///
/// - Precondition: the size is positive and not larger than the image.
func resizeArea(_ image: Image, width: Int, height: Int) -> Image {
  precondition(
    (1...image.width).contains(width) && (1...image.height).contains(height), "\(width)×\(height) does not shrink")
  if image.width == width && image.height == height { return image }
  // A quotient of a quotient, not a quotient of the sizes: the last bit matters.
  let scaleX = 1 / (Double(width) / Double(image.width))
  let scaleY = 1 / (Double(height) / Double(image.height))
  let (wholeX, wholeY) = (Int(scaleX.rounded(.toNearestOrEven)), Int(scaleY.rounded(.toNearestOrEven)))
  let isWhole = abs(scaleX - Double(wholeX)) < Double.ulpOfOne && abs(scaleY - Double(wholeY)) < Double.ulpOfOne
  let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
    image.pixels.withUnsafeBufferPointer { source in
      if isWhole {
        averageCells(source, rowBytes: image.width * 3, cell: (wholeX, wholeY), into: target, width, height)
      } else {
        averageWeighted(
          source, rowBytes: image.width * 3, columns: areaTaps(from: image.width, to: width, scale: scaleX),
          rows: areaTaps(from: image.height, to: height, scale: scaleY), into: target, width, height)
      }
    }
    count = width * height * 3
  }
  return Image(width: width, height: height, pixels: pixels)
}

private func averageCells(
  _ source: UnsafeBufferPointer<UInt8>, rowBytes: Int, cell: (x: Int, y: Int),
  into target: UnsafeMutableBufferPointer<UInt8>, _ width: Int, _ height: Int
) {
  let factor = 1 / Float(cell.x * cell.y)
  let isHalf = cell.x == 2 && cell.y == 2
  for y in 0..<height {
    for x in 0..<width {
      for channel in 0..<3 {
        var sum = 0
        for row in y * cell.y..<(y + 1) * cell.y {
          var offset = row * rowBytes + x * cell.x * 3 + channel
          for _ in 0..<cell.x {
            sum &+= Int(source[offset])
            offset &+= 3
          }
        }
        target[(y * width + x) * 3 + channel] =
          isHalf ? UInt8((sum + 2) >> 2) : UInt8((Float(sum) * factor).rounded(.toNearestOrEven))
      }
    }
  }
}

/// The share of source position `source` in target position `target`.
private struct AreaTap {
  var target, source: Int
  var weight: Float
}

private func areaTaps(from sourceSize: Int, to targetSize: Int, scale: Double) -> [AreaTap] {
  var taps: [AreaTap] = []
  for target in 0..<targetSize {
    let start = Double(target) * scale
    let end = start + scale
    let cell = min(scale, Double(sourceSize) - start)
    let last = min(Int(end), sourceSize - 1)
    let first = min(Int(start.rounded(.up)), last)
    if Double(first) - start > 1e-3 {
      taps.append(AreaTap(target: target, source: first - 1, weight: Float((Double(first) - start) / cell)))
    }
    for source in first..<last { taps.append(AreaTap(target: target, source: source, weight: Float(1 / cell))) }
    if end - Double(last) > 1e-3 {
      let weight = Float(min(min(end - Double(last), 1), cell) / cell)
      taps.append(AreaTap(target: target, source: last, weight: weight))
    }
  }
  return taps
}

private func averageWeighted(
  _ source: UnsafeBufferPointer<UInt8>, rowBytes: Int, columns: [AreaTap], rows: [AreaTap],
  into target: UnsafeMutableBufferPointer<UInt8>, _ width: Int, _ height: Int
) {
  var across = [Float](repeating: 0, count: width * 3)
  var sum = across
  func store(_ row: Int) {
    for i in 0..<width * 3 { target[row * width * 3 + i] = UInt8(clamping: Int(sum[i].rounded(.toNearestOrEven))) }
  }
  var current = 0
  for tap in rows {
    across.withUnsafeMutableBufferPointer { across in
      across.update(repeating: 0)
      for column in columns {
        let from = tap.source * rowBytes + column.source * 3
        let to = column.target * 3
        for channel in 0..<3 { across[to + channel] += Float(source[from + channel]) * column.weight }
      }
    }
    if tap.target != current {
      store(current)
      current = tap.target
      for i in sum.indices { sum[i] = tap.weight * across[i] }
    } else {
      for i in sum.indices { sum[i] += tap.weight * across[i] }
    }
  }
  store(current)
}
